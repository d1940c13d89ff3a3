//! The errors of stores, and what is stored after each.

use std::error::Error;

use metaia_realtime::event::EventError;

type Source = Box<dyn Error + Send + Sync>;

/// The reason why a store failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// The store cannot be reached, read or written now. Nothing was changed.
    #[error("the store is not available")]
    Unavailable(#[source] Source),
    /// The outcome of a change is not known: it may be stored, now or after a crash and recovery.
    #[error("the outcome of the change is not known")]
    Unknown(#[source] Source),
    /// A stored record is not valid. Nothing was changed.
    #[error("a stored record cannot be read")]
    Corrupt(#[source] Source),
    /// An event that the store builds itself could not be built. Nothing was changed.
    #[error("the event of the change could not be built")]
    Event(#[source] EventError),
}

/// The reason why a change was refused. Nothing of it is stored, except that it is not known after
/// [`StoreError::Unknown`].
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CommitError {
    /// The condition of a write does not hold any more: read the records again and decide again.
    #[error("the records have changed in the meantime")]
    Missed,
    /// The idempotency key was used in the meantime: read its reply.
    #[error("the idempotency key was used in the meantime")]
    Claimed,
    /// The provider's event was processed before.
    #[error("the event of the provider was seen before")]
    Seen,
    /// An event cannot be published, most likely because it is too large.
    #[error("an event of the change cannot be published")]
    Event(#[source] EventError),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// For changes without conditions and without a claim, which are never refused.
impl From<CommitError> for StoreError {
    fn from(error: CommitError) -> Self {
        match error {
            CommitError::Store(error) => error,
            CommitError::Event(error) => Self::Event(error),
            CommitError::Missed | CommitError::Claimed | CommitError::Seen => {
                Self::Unavailable(error.into())
            }
        }
    }
}

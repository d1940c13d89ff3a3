//! What can go wrong in a store, and what is kept then.

use std::error::Error;

use metaia_realtime::event::EventError;

type Source = Box<dyn Error + Send + Sync>;

/// Why a store gave no answer.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// It cannot be reached, read or written now. Nothing was changed.
    #[error("the store is not available")]
    Unavailable(#[source] Source),
    /// The outcome of a change is not known: it may stand, or come back after a crash.
    #[error("the outcome of the change is not known")]
    Unknown(#[source] Source),
    /// What is stored is not what it should be. Nothing was changed.
    #[error("a stored record cannot be read")]
    Corrupt(#[source] Source),
    /// An event that the store builds by itself could not be built. Nothing was changed.
    #[error("the event of the change could not be built")]
    Event(#[source] EventError),
}

/// Why a change was not made. Nothing of it is kept, except where [`StoreError::Unknown`] says
/// otherwise.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CommitError {
    /// A record is no longer, or already, what the change took for granted: read again, decide
    /// again.
    #[error("the records have changed meanwhile")]
    Missed,
    /// The idempotency key was used meanwhile: recall it.
    #[error("the idempotency key was used meanwhile")]
    Claimed,
    /// The provider's event has been dealt with before.
    #[error("the event of the provider was seen before")]
    Seen,
    /// An event that cannot be published, most likely too large a one.
    #[error("an event of the change cannot be published")]
    Event(#[source] EventError),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// For changes that take nothing for granted and carry no claim: they are not refused.
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

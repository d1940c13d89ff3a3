//! Errors of the log as errors of the store.

use metaia_realtime::log::LogError;

use crate::store::StoreError;

pub(super) fn from_log(error: LogError) -> StoreError {
    match error {
        LogError::Unknown(source) => StoreError::Unknown(source),
        LogError::Unavailable(source) => StoreError::Unavailable(source),
        other => StoreError::Unavailable(other.into()),
    }
}

/// Returns the error for a reply to another kind of request than the one that was sent.
pub(super) fn unexpected_reply() -> StoreError {
    StoreError::Unknown("the committer replied to another kind of request".into())
}

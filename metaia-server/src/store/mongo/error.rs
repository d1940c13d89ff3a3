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

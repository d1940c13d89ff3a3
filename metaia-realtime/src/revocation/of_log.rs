//! The store of revocations that a log brings: what outlives the process with the log.

use std::{fmt, sync::Arc};

use super::{DynRevocationStore, RevocationStore};

/// A store behind a pointer.
pub(crate) type SharedStore = Arc<dyn DynRevocationStore>;

/// The store of revocations beside a log: see
/// [`EventLog::revocations`](crate::EventLog::revocations).
pub struct LogRevocations(SharedStore);

impl LogRevocations {
    /// Wraps the store.
    #[must_use]
    pub fn new(store: impl RevocationStore) -> Self {
        Self(Arc::new(store))
    }

    pub(crate) fn into_store(self) -> SharedStore {
        self.0
    }
}

impl fmt::Debug for LogRevocations {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LogRevocations").finish_non_exhaustive()
    }
}

//! Revocations in memory, for the life of the process.

use std::{collections::BTreeMap, sync::Arc};

use parking_lot::Mutex;

use super::{Revocation, RevocationChanges, RevocationCursor, RevocationError, RevocationStore};
use crate::values::time;

/// A store of revocations in memory: a restart of the process forgets them. A handle: clones share
/// the records.
///
/// ```
/// use metaia_realtime::{Realtime, revocation::MemoryRevocations};
///
/// // For tests: two nodes in one process.
/// let store = MemoryRevocations::shared();
/// let first = Realtime::builder().revocation_store(store.clone());
/// let second = Realtime::builder().revocation_store(store);
/// ```
#[derive(Debug, Clone, Default)]
pub struct MemoryRevocations {
    /// The bounds by their keys.
    records: Arc<Mutex<BTreeMap<String, i64>>>,
    is_shared: bool,
}

impl MemoryRevocations {
    /// Returns a store for several nodes of one process: each of them reads it once a second.
    #[must_use]
    pub fn shared() -> Self {
        Self {
            is_shared: true,
            ..Self::default()
        }
    }
}

impl RevocationStore for MemoryRevocations {
    fn is_shared(&self) -> bool {
        self.is_shared
    }

    async fn put(&self, revocation: Revocation) -> Result<Revocation, RevocationError> {
        let now = time::unix_ms();
        let mut records = self.records.lock();
        let bound = records
            .entry(revocation.key())
            .and_modify(|bound| *bound = revocation.bound().max(*bound))
            .or_insert(revocation.bound());
        let stored = Revocation::from_stored(&revocation.key(), *bound);
        records.retain(|key, bound| {
            Revocation::from_stored(key, *bound).is_some_and(|record| !record.has_ended(now))
        });
        Ok(stored.unwrap_or(revocation))
    }

    async fn changed_since(
        &self,
        _: Option<RevocationCursor>,
    ) -> Result<RevocationChanges, RevocationError> {
        let records = self.records.lock();
        let revocations = records
            .iter()
            .filter_map(|(key, bound)| Revocation::from_stored(key, *bound));
        Ok(RevocationChanges {
            revocations: revocations.collect(),
            cursor: RevocationCursor::default(),
        })
    }
}

//! Revocations in memory, for the life of the process.

use std::{
    collections::{BTreeMap, BTreeSet},
    ops::Bound::{Excluded, Unbounded},
    sync::Arc,
};

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
    records: Arc<Mutex<HeldRecords>>,
    is_shared: bool,
}

#[derive(Debug, Default)]
struct HeldRecords {
    /// The bounds by their keys.
    bounds: BTreeMap<String, i64>,
    /// The ends of tokens, the earliest first, with the keys.
    ends: BTreeSet<(i64, String)>,
}

impl HeldRecords {
    /// Adds a record, or raises its bound. Returns the bound that stands.
    fn raise(&mut self, revocation: &Revocation) -> i64 {
        let key = revocation.key();
        let before = self.bounds.get(&key).copied();
        let bound = before.map_or(revocation.bound(), |before| revocation.bound().max(before));
        if let Revocation::Token { .. } = revocation {
            before.map(|before| self.ends.remove(&(before, key.clone())));
            self.ends.insert((bound, key.clone()));
        }
        self.bounds.insert(key, bound);
        bound
    }

    fn remove_ended(&mut self, now: i64) {
        while let Some((bound, _)) = self.ends.first()
            && Revocation::of_token("", Some(*bound)).has_ended(now)
        {
            let ended = self.ends.pop_first();
            ended.map(|(_, key)| self.bounds.remove(&key));
        }
    }
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
        let bound = records.raise(&revocation);
        let stored = Revocation::from_stored(&revocation.key(), bound);
        records.remove_ended(now);
        Ok(stored.unwrap_or(revocation))
    }

    async fn changed_since(
        &self,
        since: Option<RevocationCursor>,
        limit: usize,
    ) -> Result<RevocationChanges, RevocationError> {
        // Each pass returns everything, in the order of the keys. No key is empty.
        let since = since.unwrap_or_default();
        let bounds = &self.records.lock().bounds;
        let mut following = bounds.range::<str, _>((Excluded(since.as_str()), Unbounded));
        let page: Vec<_> = following.by_ref().take(limit).collect();
        let last = page.last().map(|(key, _)| key.as_str());
        let has_more = following.next().is_some();
        let cursor = last.filter(|_| has_more).unwrap_or_default();
        let revocations = page
            .iter()
            .filter_map(|(key, bound)| Revocation::from_stored(key, **bound));
        Ok(RevocationChanges {
            revocations: revocations.collect(),
            cursor: RevocationCursor::new(cursor),
            has_more,
        })
    }
}

//! Records in memory, for the life of the process.

use std::{
    collections::{BTreeMap, BTreeSet},
    future::{Future, ready},
    ops::Bound,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use super::{DeviceKey, DeviceRecord, DeviceStore, LIFE_MS, RECORDS_PER_USER};
use crate::{log::LogError, values::time};

/// Records, at most. Beyond that the oldest are dropped, and their clients start without a resume.
const MAX_RECORDS: usize = 100_000;

type DeviceRecords = BTreeMap<DeviceKey, DeviceRecord>;

/// A store of records in memory. A handle: clones share the records.
#[derive(Debug, Clone, Default)]
pub struct MemoryDevices {
    records: Arc<Mutex<DeviceRecords>>,
}

impl MemoryDevices {
    fn records(&self) -> MutexGuard<'_, DeviceRecords> {
        self.records.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl DeviceStore for MemoryDevices {
    fn load(
        &self,
        key: &DeviceKey,
    ) -> impl Future<Output = Result<Option<DeviceRecord>, LogError>> + Send {
        let forgotten = time::unix_ms() - LIFE_MS;
        let records = self.records();
        let record = records.get(key).filter(|record| record.at > forgotten);
        ready(Ok(record.cloned()))
    }

    fn save(
        &self,
        records: Vec<(DeviceKey, DeviceRecord)>,
    ) -> impl Future<Output = Result<(), LogError>> + Send {
        let mut kept = self.records();
        let users: BTreeSet<_> = records.iter().map(|(key, _)| key.of_same_user()).collect();
        kept.extend(records);
        for (from, to) in &users {
            drop_oldest_of_user(&mut kept, from, to);
        }
        let forgotten = time::unix_ms() - LIFE_MS;
        kept.retain(|_, record| record.at > forgotten);
        drop_oldest(&mut kept, MAX_RECORDS);
        ready(Ok(()))
    }
}

/// Drops the oldest records between two keys, beyond [`RECORDS_PER_USER`].
fn drop_oldest_of_user(records: &mut DeviceRecords, from: &str, to: &str) {
    let of_user = records.range::<str, _>((Bound::Excluded(from), Bound::Excluded(to)));
    let mut by_age: Vec<_> = of_user
        .map(|(key, record)| (record.at, key.clone()))
        .collect();
    let excess = by_age.len().saturating_sub(RECORDS_PER_USER);
    by_age.sort_unstable();
    for (_, key) in by_age.drain(..excess) {
        records.remove(&key);
    }
}

/// Drops the oldest records beyond `most`. Among records of the same time the choice is arbitrary.
fn drop_oldest(records: &mut DeviceRecords, most: usize) {
    let excess = records.len().saturating_sub(most);
    if excess == 0 {
        return;
    }
    // Selecting is linear and needs no copy of the keys; a sort by age would need both.
    let mut times: Vec<i64> = records.values().map(|record| record.at).collect();
    let (older, &mut last_dropped, _) = times.select_nth_unstable(excess - 1);
    let mut drop_at_last = 1 + older.iter().filter(|at| **at == last_dropped).count();
    records.retain(|_, record| {
        if record.at == last_dropped && drop_at_last > 0 {
            drop_at_last -= 1;
            return false;
        }
        record.at >= last_dropped
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Identity, Position, Role, values::Epoch};
    use proptest::prelude::*;

    fn saved(i: usize, at: i64) -> (DeviceKey, DeviceRecord) {
        let device = i.to_string().parse().unwrap();
        let identity = Identity::new("u".parse().unwrap(), Role::Customer);
        let position = Position::start(Epoch::from_bits(0));
        let record = DeviceRecord {
            position,
            orders: Vec::new(),
            connections: 1,
            at,
        };
        (DeviceKey::of(&identity, Some(&device)).unwrap(), record)
    }

    proptest! {
        #[test]
        fn the_newest_records_are_kept(
            times in proptest::collection::vec(0i64..5, 0..30),
            most in 0usize..30,
        ) {
            let saves = times.iter().enumerate().map(|(i, at)| saved(i, *at));
            let mut kept: DeviceRecords = saves.collect();
            drop_oldest(&mut kept, most);
            let mut newest = times;
            newest.sort_unstable_by(|a, b| b.cmp(a));
            newest.truncate(most);
            let mut at: Vec<i64> = kept.values().map(|record| record.at).collect();
            at.sort_unstable_by(|a, b| b.cmp(a));
            prop_assert_eq!(at, newest);
        }
    }
}

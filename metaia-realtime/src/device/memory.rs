//! Records in memory: for as long as the process lives.

use std::{
    collections::{BTreeMap, BTreeSet},
    future::{Future, ready},
    ops::Bound,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use super::{DeviceKey, DeviceRecord, DeviceStore, LIFE_MS, RECORDS_PER_USER};
use crate::{log::LogError, values::time};

/// Most records; beyond it the oldest go, whose clients then begin anew.
const RECORDS: usize = 100_000;

type Records = BTreeMap<DeviceKey, DeviceRecord>;

/// Records in memory. A handle: clones share them.
#[derive(Debug, Clone, Default)]
pub struct MemoryDevices {
    records: Arc<Mutex<Records>>,
}

impl MemoryDevices {
    fn records(&self) -> MutexGuard<'_, Records> {
        self.records.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl DeviceStore for MemoryDevices {
    fn load(
        &self,
        key: &DeviceKey,
    ) -> impl Future<Output = Result<Option<DeviceRecord>, LogError>> + Send {
        let oldest = time::unix_ms() - LIFE_MS;
        ready(Ok(self
            .records()
            .get(key)
            .filter(|record| record.at > oldest)
            .cloned()))
    }

    fn save(
        &self,
        records: Vec<(DeviceKey, DeviceRecord)>,
    ) -> impl Future<Output = Result<(), LogError>> + Send {
        let mut kept = self.records();
        let users: BTreeSet<_> = records.iter().map(|(key, _)| key.of_same_user()).collect();
        kept.extend(records);
        users
            .iter()
            .for_each(|(from, to)| keep_of_user(&mut kept, from, to));
        let oldest = time::unix_ms() - LIFE_MS;
        kept.retain(|_, record| record.at > oldest);
        keep(&mut kept, RECORDS);
        ready(Ok(()))
    }
}

/// Removes the oldest of those between two keys, beyond what a user may have.
fn keep_of_user(kept: &mut Records, from: &str, to: &str) {
    let theirs = kept.range::<str, _>((Bound::Excluded(from), Bound::Excluded(to)));
    let mut theirs: Vec<_> = theirs
        .map(|(key, record)| (record.at, key.clone()))
        .collect();
    let beyond = theirs.len().saturating_sub(RECORDS_PER_USER);
    theirs.sort_unstable();
    for (_, key) in theirs.drain(..beyond) {
        kept.remove(&key);
    }
}

/// Removes the oldest beyond `most`; of those of one time, whichever.
fn keep(kept: &mut Records, most: usize) {
    let beyond = kept.len().saturating_sub(most);
    if beyond == 0 {
        return;
    }
    let mut times: Vec<i64> = kept.values().map(|record| record.at).collect();
    let (older, &mut newest, _) = times.select_nth_unstable(beyond - 1);
    let mut as_old = 1 + older.iter().filter(|at| **at == newest).count();
    kept.retain(|_, record| {
        let goes = record.at < newest || record.at == newest && as_old > 0;
        as_old -= usize::from(goes && record.at == newest);
        !goes
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
        fn the_newest_are_kept(times in proptest::collection::vec(0i64..5, 0..30), most in 0usize..30) {
            let mut kept: Records = times.iter().enumerate().map(|(i, at)| saved(i, *at)).collect();
            keep(&mut kept, most);
            let mut newest = times;
            newest.sort_unstable_by(|a, b| b.cmp(a));
            newest.truncate(most);
            let mut at: Vec<i64> = kept.values().map(|record| record.at).collect();
            at.sort_unstable_by(|a, b| b.cmp(a));
            prop_assert_eq!(at, newest);
        }
    }
}

//! Records in memory, for the life of the process.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

use parking_lot::Mutex;

use super::{
    Claimant, ClaimedRecords, DeviceError, DeviceKey, DeviceRecord, DeviceStore, LIFE_MS,
    RECORDS_PER_USER,
};
use crate::{
    UserId,
    values::{NodeId, time},
};

/// Records, at most. Beyond that the oldest are dropped, and their clients start without a resume.
const MAX_RECORDS: usize = 100_000;

/// A store of records in memory. A handle: clones share the records.
#[derive(Debug, Clone, Default)]
pub struct MemoryDevices {
    records: Arc<Mutex<RecordsByUser>>,
}

impl MemoryDevices {
    fn load(&self, key: &DeviceKey) -> Option<DeviceRecord> {
        let forgotten = time::unix_ms() - LIFE_MS;
        let records = self.records.lock();
        let record = records.get(key).filter(|record| record.at > forgotten);
        record.cloned()
    }
}

/// For one node.
impl DeviceStore for MemoryDevices {
    fn serve(&self, _: NodeId) {}

    async fn claim(
        &self,
        key: &DeviceKey,
        claimant: Claimant,
    ) -> Result<ClaimedRecords, DeviceError> {
        let own = match claimant {
            Claimant::New => self.load(key),
            Claimant::Known => None,
        };
        Ok(ClaimedRecords {
            own,
            ..ClaimedRecords::default()
        })
    }

    async fn save(&self, records: Vec<(DeviceKey, DeviceRecord)>) -> Result<(), DeviceError> {
        let mut kept = self.records.lock();
        kept.insert(records);
        kept.drop_expired(time::unix_ms() - LIFE_MS);
        kept.drop_oldest(MAX_RECORDS);
        Ok(())
    }

    async fn leave(&self, records: Vec<(DeviceKey, DeviceRecord)>) -> Result<(), DeviceError> {
        self.save(records).await
    }
}

/// The records of all users.
#[derive(Debug, Default)]
struct RecordsByUser(HashMap<UserId, HashMap<DeviceKey, DeviceRecord>>);

impl RecordsByUser {
    fn get(&self, key: &DeviceKey) -> Option<&DeviceRecord> {
        self.0.get(key.user())?.get(key)
    }

    /// Adds or replaces records. Of each of their users [`RECORDS_PER_USER`] stay.
    fn insert(&mut self, records: Vec<(DeviceKey, DeviceRecord)>) {
        let mut users = HashSet::new();
        for (key, record) in records {
            let user = key.user().clone();
            let of_user = self.0.entry(user.clone()).or_default();
            of_user.insert(key, record);
            users.insert(user);
        }
        for user in users {
            if let Some(of_user) = self.0.get_mut(&user) {
                let times = of_user.values().map(|record| record.at).collect();
                let mut cut = Cut::new(times, RECORDS_PER_USER);
                of_user.retain(|_, record| cut.keeps(record));
            }
        }
    }

    fn drop_expired(&mut self, forgotten: i64) {
        self.retain(|record| record.at > forgotten);
    }

    /// Drops the oldest records of all, so that `most` stay.
    fn drop_oldest(&mut self, most: usize) {
        let records = self.0.values().flat_map(HashMap::values);
        let mut cut = Cut::new(records.map(|record| record.at).collect(), most);
        if cut.drops_any() {
            self.retain(|record| cut.keeps(record));
        }
    }

    fn retain(&mut self, mut keeps: impl FnMut(&DeviceRecord) -> bool) {
        self.0.retain(|_, of_user| {
            of_user.retain(|_, record| keeps(record));
            !of_user.is_empty()
        });
    }
}

/// The decision which of the oldest records are dropped. Among records of the same time the choice
/// is arbitrary.
#[derive(Debug, Clone, Copy)]
struct Cut {
    /// The records before this time are dropped.
    at: i64,
    /// The number of records of that time that are still to be dropped.
    of_that_time: usize,
}

impl Cut {
    /// Decides on records of these times, so that `most` stay.
    fn new(mut times: Vec<i64>, most: usize) -> Self {
        let excess = times.len().saturating_sub(most);
        if excess == 0 {
            return Self {
                at: i64::MIN,
                of_that_time: 0,
            };
        }
        // Selecting is linear and needs no copy of the keys; a sort by age would need both.
        let (older, &mut at, _) = times.select_nth_unstable(excess - 1);
        let of_that_time = 1 + older.iter().filter(|older| **older == at).count();
        Self { at, of_that_time }
    }

    const fn drops_any(&self) -> bool {
        self.of_that_time > 0
    }

    fn keeps(&mut self, record: &DeviceRecord) -> bool {
        if record.at == self.at && self.of_that_time > 0 {
            self.of_that_time -= 1;
            return false;
        }
        record.at >= self.at
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Identity, Position, Role, values::Epoch};
    use proptest::prelude::*;

    fn saved(i: usize, at: i64) -> (DeviceKey, DeviceRecord) {
        let device = i.to_string().parse().unwrap();
        let user = format!("u{}", i % 3).parse().unwrap();
        let identity = Identity::new(user, Role::Customer);
        let position = Position::start(Epoch::from_bits(0));
        let record = DeviceRecord {
            position,
            orders: Vec::new(),
            connections: 1,
            connected: 0,
            at,
        };
        (DeviceKey::new(&identity, Some(&device)).unwrap(), record)
    }

    proptest! {
        #[test]
        fn the_newest_records_are_kept(
            times in proptest::collection::vec(0i64..5, 0..30),
            most in 0usize..30,
        ) {
            let mut kept = RecordsByUser::default();
            kept.insert(times.iter().enumerate().map(|(i, at)| saved(i, *at)).collect());
            kept.drop_oldest(most);
            let mut newest = times;
            newest.sort_unstable_by(|a, b| b.cmp(a));
            newest.truncate(most);
            let records = kept.0.values().flat_map(HashMap::values);
            let mut at: Vec<i64> = records.map(|record| record.at).collect();
            at.sort_unstable_by(|a, b| b.cmp(a));
            prop_assert_eq!(at, newest);
        }
    }
}

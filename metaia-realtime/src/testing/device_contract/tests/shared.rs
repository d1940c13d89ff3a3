//! The suite against a store that several nodes share, sound and with planted defects.

use std::{
    collections::HashSet,
    marker::PhantomData,
    sync::{Arc, Mutex},
};

use super::{Clause, Subject, check};
use crate::{
    device::{
        Claimant, ClaimedRecords, DeviceError, DeviceKey, DeviceRecord, DeviceStore, LIFE_MS,
        RECORDS_PER_USER,
    },
    values::{NodeId, time},
};

/// A planted defect. The names say what the store does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Flaw {
    None,
    KeepsOneRecordPerKey,
    HandsOverAgainAndAgain,
    RemovesWhatItHandsOver,
    NeverHandsOver,
    KeepsWhatWasHandedOver,
}

/// The record that one node has saved.
#[derive(Debug, Clone)]
struct Row {
    key: DeviceKey,
    by: NodeId,
    is_connected: bool,
    record: DeviceRecord,
}

/// A handle of one node.
struct SharedStore {
    flaw: Flaw,
    node: Mutex<NodeId>,
    rows: Arc<Mutex<Vec<Row>>>,
    /// The keys and nodes of the rows that this node has taken over and not yet replaced.
    taken: Mutex<HashSet<(DeviceKey, NodeId)>>,
}

impl SharedStore {
    fn node(&self) -> NodeId {
        *self.node.lock().unwrap()
    }

    fn put(&self, records: Vec<(DeviceKey, DeviceRecord)>, is_connected: bool) {
        let by = self.node();
        let mut rows = self.rows.lock().unwrap();
        let mut taken = self.taken.lock().unwrap();
        for (key, record) in records {
            rows.retain(|row| {
                let is_taken = taken.contains(&(key.clone(), row.by));
                let is_replaced = row.by == by
                    || self.flaw == Flaw::KeepsOneRecordPerKey
                    || (is_taken && self.flaw != Flaw::KeepsWhatWasHandedOver);
                row.key != key || !is_replaced
            });
            taken.retain(|(taken, _)| *taken != key);
            rows.push(Row {
                key,
                by,
                is_connected,
                record,
            });
        }
        drop_expired(&mut rows);
        drop_surplus(&mut rows);
    }
}

fn drop_expired(rows: &mut Vec<Row>) {
    let oldest = time::unix_ms() - LIFE_MS;
    rows.retain(|row| row.record.at > oldest);
}

fn drop_surplus(rows: &mut Vec<Row>) {
    rows.sort_by_key(|row| std::cmp::Reverse(row.record.at));
    let mut kept: Vec<DeviceKey> = Vec::new();
    rows.retain(|row| {
        let of_user = kept.iter().filter(|key| key.user() == row.key.user());
        let has_place = of_user.count() < RECORDS_PER_USER;
        if has_place {
            kept.push(row.key.clone());
        }
        has_place
    });
}

impl DeviceStore for SharedStore {
    fn serve(&self, node: NodeId) {
        *self.node.lock().unwrap() = node;
    }

    async fn claim(
        &self,
        key: &DeviceKey,
        claimant: Claimant,
    ) -> Result<ClaimedRecords, DeviceError> {
        let node = self.node();
        let mut claimed = ClaimedRecords::default();
        let mut rows = self.rows.lock().unwrap();
        let mut taken = self.taken.lock().unwrap();
        for row in rows.iter().filter(|row| row.key == *key) {
            let record = row.record.clone();
            if row.by == node {
                claimed.own = Some(record).filter(|_| claimant == Claimant::New);
            } else if row.is_connected || self.flaw == Flaw::NeverHandsOver {
                claimed.elsewhere.push(record);
            } else if taken.insert((key.clone(), row.by))
                || self.flaw == Flaw::HandsOverAgainAndAgain
            {
                claimed.left.push(record);
            }
        }
        if self.flaw == Flaw::RemovesWhatItHandsOver {
            rows.retain(|row| row.key != *key || row.by == node || row.is_connected);
        }
        Ok(claimed)
    }

    async fn save(&self, records: Vec<(DeviceKey, DeviceRecord)>) -> Result<(), DeviceError> {
        self.put(records, true);
        Ok(())
    }

    async fn leave(&self, records: Vec<(DeviceKey, DeviceRecord)>) -> Result<(), DeviceError> {
        self.put(records, false);
        Ok(())
    }
}

trait SharedPlan: Send + Sync + 'static {
    const FLAW: Flaw;
}

struct PlantedShared<P>(Arc<Mutex<Vec<Row>>>, PhantomData<P>);

impl<P: SharedPlan> Subject for PlantedShared<P> {
    type Store = SharedStore;
    const DURABLE: bool = true;
    const SHARED: bool = true;

    fn new() -> Self {
        Self(Arc::default(), PhantomData)
    }

    async fn open(&self) -> SharedStore {
        SharedStore {
            flaw: P::FLAW,
            node: Mutex::new(NodeId::random()),
            rows: Arc::clone(&self.0),
            taken: Mutex::default(),
        }
    }
}

mod sound {
    use super::{Flaw, PlantedShared, SharedPlan};

    struct Sound;

    impl SharedPlan for Sound {
        const FLAW: Flaw = Flaw::None;
    }

    crate::device_contract!(PlantedShared<Sound>);
}

/// Makes a test for each flaw: the named clause must catch it.
macro_rules! plant {
    ($($name:ident: $clause:ident catches $flaw:ident,)+) => {$(
        #[test]
        fn $name() {
            struct Here;
            impl SharedPlan for Here {
                const FLAW: Flaw = Flaw::$flaw;
            }
            let checked = check::<PlantedShared<Here>>(Clause::$clause);
            let broken = checked.expect_err("the defect was not caught");
            assert!(broken.came.starts_with("the record of"), "{broken}");
        }
    )+};
}

plant! {
    a_record_that_hides_those_of_other_nodes: Apiece catches KeepsOneRecordPerKey,
    a_record_that_is_handed_over_twice: TakenOver catches HandsOverAgainAndAgain,
    a_record_that_is_removed_too_soon: TakenOver catches RemovesWhatItHandsOver,
    a_record_that_is_never_handed_over: TakenOver catches NeverHandsOver,
    a_record_that_stays_after_it_was_taken_over: TakenOver catches KeepsWhatWasHandedOver,
}

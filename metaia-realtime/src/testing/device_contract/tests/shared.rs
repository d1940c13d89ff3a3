//! The suite against a store that several nodes share, sound and with planted defects.

use std::{
    collections::{HashMap, HashSet},
    marker::PhantomData,
    sync::{Arc, Mutex},
};

use super::{Clause, Subject, check};
use crate::{
    device::{
        Claimant, ClaimedRecords, DeviceError, DeviceKey, DeviceRecord, DeviceStore, LIFE_MS,
        RECORDS_PER_USER,
    },
    testing::contract::plant,
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
    AwaitsWhoHasMoved,
    ForgetsWhoHasStayed,
    ForgetsWhoIsConnected,
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
    /// The times when this node claimed a record that stayed with another node.
    arrivals: Mutex<HashMap<(DeviceKey, NodeId), i64>>,
}

impl SharedStore {
    fn node(&self) -> NodeId {
        *self.node.lock().unwrap()
    }

    /// Returns whether the client of a row that was left had come to this node before.
    fn has_arrived(&self, row: &Row) -> bool {
        let arrivals = self.arrivals.lock().unwrap();
        let arrived = arrivals.get(&(row.key.clone(), row.by));
        arrived.is_some_and(|at| match self.flaw {
            Flaw::AwaitsWhoHasMoved => false,
            Flaw::ForgetsWhoHasStayed => true,
            _ => *at > row.record.at,
        })
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
                let mut arrivals = self.arrivals.lock().unwrap();
                arrivals.insert((key.clone(), row.by), time::unix_ms());
                let mut record = record;
                if self.flaw == Flaw::ForgetsWhoIsConnected {
                    record.connected = 0;
                }
                claimed.elsewhere.push(record);
            } else if taken.insert((key.clone(), row.by))
                || self.flaw == Flaw::HandsOverAgainAndAgain
            {
                let is_awaited = !self.has_arrived(row);
                claimed.left.extend(Some(record).filter(|_| is_awaited));
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

trait Plan: Send + Sync + 'static {
    const FLAW: Flaw;
}

struct Planted<P>(Arc<Mutex<Vec<Row>>>, PhantomData<P>);

impl<P: Plan> Subject for Planted<P> {
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
            arrivals: Mutex::default(),
        }
    }
}

mod sound {
    use super::{Flaw, Plan, Planted};

    struct Sound;

    impl Plan for Sound {
        const FLAW: Flaw = Flaw::None;
    }

    crate::device_contract!(Planted<Sound>);
}

plant! {
    a_record_that_hides_those_of_other_nodes: Apiece catches KeepsOneRecordPerKey,
    a_record_that_is_handed_over_twice: TakenOver catches HandsOverAgainAndAgain,
    a_record_that_is_removed_too_soon: TakenOver catches RemovesWhatItHandsOver,
    a_record_that_is_never_handed_over: TakenOver catches NeverHandsOver,
    a_record_that_stays_after_it_was_taken_over: TakenOver catches KeepsWhatWasHandedOver,
    a_record_without_its_connected_clients: Apiece catches ForgetsWhoIsConnected,
    a_client_that_is_awaited_although_it_has_moved: Moved catches AwaitsWhoHasMoved,
    a_client_that_is_taken_for_one_that_moved: Moved catches ForgetsWhoHasStayed,
}

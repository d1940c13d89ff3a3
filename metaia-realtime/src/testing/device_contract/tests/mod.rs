//! The suite against records in memory, and against stores with planted defects.

mod shared;

use std::{
    collections::BTreeMap,
    marker::PhantomData,
    sync::{Arc, Mutex},
};

use tokio::task::yield_now;

use super::{Clause, Subject, check};
use crate::{
    device::{
        Claimant, ClaimedRecords, DeviceError, DeviceKey, DeviceRecord, DeviceStore, LIFE_MS,
        MemoryDevices, RECORDS_PER_USER,
    },
    testing::contract::plant,
    values::{NodeId, time},
};

mod memory {
    use super::{MemoryDevices, Subject};

    struct InMemory;

    impl Subject for InMemory {
        type Store = MemoryDevices;
        const DURABLE: bool = false;
        const SHARED: bool = false;

        fn new() -> Self {
            Self
        }

        async fn open(&self) -> MemoryDevices {
            MemoryDevices::default()
        }
    }

    crate::device_contract!(InMemory);
}

/// A planted defect of a store. The names say what the store does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Flaw {
    None,
    KeepsFewOrders,
    KeepsTheFirst,
    KeepsTheNewest,
    IgnoresCase,
    CutsKeys,
    KeepsForEver,
    ForgetsAllWhenOneExpires,
    SavesOneByOne,
    LosesTheLast,
    KeepsAnyNumber,
    ForgetsTheNewest,
    IgnoresWhatIsLeft,
    RepeatsWhatIsKnown,
}

#[derive(Debug, Clone, Default)]
struct Flawed {
    flaw: Option<Flaw>,
    records: Arc<Mutex<BTreeMap<String, DeviceRecord>>>,
}

impl Flawed {
    fn has(&self, flaw: Flaw) -> bool {
        self.flaw == Some(flaw)
    }

    fn name(&self, key: &DeviceKey) -> String {
        let mut name = key.to_string();
        match self.flaw {
            Some(Flaw::IgnoresCase) => name.make_ascii_lowercase(),
            Some(Flaw::CutsKeys) => name.truncate(name.find('\0').unwrap_or(name.len())),
            _ => {}
        }
        name
    }

    fn put(
        &self,
        records: &mut BTreeMap<String, DeviceRecord>,
        key: &DeviceKey,
        mut record: DeviceRecord,
    ) {
        if self.has(Flaw::KeepsFewOrders) {
            record.orders.truncate(100);
        }
        let name = self.name(key);
        let stays = match records.get(&name) {
            Some(_) if self.has(Flaw::KeepsTheFirst) => true,
            Some(before) if self.has(Flaw::KeepsTheNewest) => before.at > record.at,
            _ => false,
        };
        if !stays {
            records.insert(name, record);
        }
    }

    fn bound(&self, records: &mut BTreeMap<String, DeviceRecord>, key: &DeviceKey) {
        let of_user = format!("{} ", key.user());
        let mut theirs: Vec<_> = records
            .iter()
            .filter(|(name, _)| name.starts_with(&of_user))
            .map(|(name, record)| (record.at, name.clone()))
            .collect();
        theirs.sort_unstable();
        if self.has(Flaw::ForgetsTheNewest) {
            theirs.reverse();
        }
        let beyond = theirs.len().saturating_sub(RECORDS_PER_USER);
        for (_, name) in theirs.drain(..beyond) {
            records.remove(&name);
        }
    }
}

impl Flawed {
    fn load(&self, key: &DeviceKey) -> Option<DeviceRecord> {
        let oldest = if self.has(Flaw::KeepsForEver) {
            i64::MIN
        } else {
            time::unix_ms() - LIFE_MS
        };
        let records = self.records.lock().unwrap();
        let expired = records.values().any(|record| record.at < oldest);
        if self.has(Flaw::ForgetsAllWhenOneExpires) && expired {
            return None;
        }
        let record = records.get(&self.name(key));
        record.filter(|record| record.at > oldest).cloned()
    }
}

impl DeviceStore for Flawed {
    fn serve(&self, _: NodeId) {}

    async fn claim(
        &self,
        key: &DeviceKey,
        claimant: Claimant,
    ) -> Result<ClaimedRecords, DeviceError> {
        let is_wanted = claimant == Claimant::New || self.has(Flaw::RepeatsWhatIsKnown);
        Ok(ClaimedRecords {
            own: if is_wanted { self.load(key) } else { None },
            ..ClaimedRecords::default()
        })
    }

    async fn leave(&self, records: Vec<(DeviceKey, DeviceRecord)>) -> Result<(), DeviceError> {
        if self.has(Flaw::IgnoresWhatIsLeft) {
            return Ok(());
        }
        self.save(records).await
    }

    async fn save(&self, records: Vec<(DeviceKey, DeviceRecord)>) -> Result<(), DeviceError> {
        if self.has(Flaw::SavesOneByOne) {
            for (key, record) in records {
                self.put(&mut self.records.lock().unwrap(), &key, record);
                yield_now().await;
            }
            return Ok(());
        }
        let mut kept = self.records.lock().unwrap();
        for (key, record) in records {
            self.put(&mut kept, &key, record);
            if !self.has(Flaw::KeepsAnyNumber) {
                self.bound(&mut kept, &key);
            }
        }
        Ok(())
    }
}

trait Plan: Send + Sync + 'static {
    const FLAW: Flaw;
}

struct Planted<P>(Flawed, PhantomData<P>);

impl<P: Plan> Subject for Planted<P> {
    type Store = Flawed;
    const DURABLE: bool = true;
    const SHARED: bool = false;

    fn new() -> Self {
        Self(
            Flawed {
                flaw: Some(P::FLAW),
                ..Flawed::default()
            },
            PhantomData,
        )
    }

    async fn open(&self) -> Flawed {
        self.0.clone()
    }

    async fn close(&self, store: Flawed) {
        if store.has(Flaw::LosesTheLast) {
            store.records.lock().unwrap().pop_last();
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
    orders_that_are_dropped: Saved catches KeepsFewOrders,
    a_record_that_is_never_replaced: Replaced catches KeepsTheFirst,
    a_record_that_is_not_replaced_by_an_earlier_one: Replaced catches KeepsTheNewest,
    keys_alike_but_for_case: Apart catches IgnoresCase,
    keys_that_are_cut: Apart catches CutsKeys,
    a_record_for_ever: Expired catches KeepsForEver,
    one_that_takes_the_others_with_it: Expired catches ForgetsAllWhenOneExpires,
    records_without_end: Bounded catches KeepsAnyNumber,
    the_newest_that_go: Bounded catches ForgetsTheNewest,
    records_saved_one_by_one: AtOnce catches SavesOneByOne,
    records_that_are_not_saved_when_a_client_leaves: Left catches IgnoresWhatIsLeft,
    a_record_for_a_node_that_knows_better: Known catches RepeatsWhatIsKnown,
    a_loss_when_it_is_closed: Reopened catches LosesTheLast,
}

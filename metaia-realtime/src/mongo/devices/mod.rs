//! Where clients are that show no position, for many nodes. The older position is always the safe
//! one.
//!
//! - A device is one phone. The node that it came to last *owns* its document. Each connection
//!   makes its node the owner, also where the phone comes back to a node that still takes it for
//!   its own; what others save is dropped, and only keeps the document from expiring.
//! - A token may be several phones'. Each node keeps a *slot* of its own in the token's document,
//!   and nobody touches another living node's slot while phones of it are connected there: whoever
//!   comes goes on from the smallest position of all. A slot that was *left*, by phones that are
//!   connected to that node no more or by a node whose lease is over, is taken in: the next save of
//!   the node that has read it removes it, if it is still the same.

mod document;
mod save;
#[cfg(test)]
mod tests;

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex as SyncMutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};

use mongodb::{
    Collection,
    bson::{Bson, Document, doc},
};

use self::document::{Found, Slot};
use super::{Deployment, Mongo, directory, fault::Fault, handle::PATIENCE, log::read};
use crate::{
    device::{ClaimedRecords, DeviceKey, DeviceRecord, DeviceStore, LIFE_MS},
    log::LogError,
    values::{NodeId, time},
};

const DEVICES: &str = "rt_device";

/// Clients of whom slots were taken in that no save has removed yet. Beyond it slots stay where
/// they are: their clients may be given something once more.
const TAKEN: usize = 100_000;

/// Records of clients that may come back, beside the log that their positions are in.
///
/// A handle: clones are the same node to others. Make one for each node.
#[derive(Debug, Clone)]
pub struct MongoDevices {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    mongo: Mongo,
    /// The name of the node that saves.
    me: SyncMutex<NodeId>,
    has_indexes: AtomicBool,
    /// One save after the other.
    saving: tokio::sync::Mutex<()>,
    /// The stamps of slots that this node has taken in.
    taken: SyncMutex<HashMap<DeviceKey, Vec<Bson>>>,
}

impl MongoDevices {
    /// The records in a database. It is not asked for anything yet.
    #[must_use]
    pub fn new(mongo: &Mongo) -> Self {
        let inner = Inner {
            mongo: mongo.clone(),
            me: SyncMutex::new(NodeId::random()),
            has_indexes: AtomicBool::new(false),
            saving: tokio::sync::Mutex::default(),
            taken: SyncMutex::default(),
        };
        Self {
            inner: Arc::new(inner),
        }
    }

    fn me(&self) -> NodeId {
        *self.inner.me.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn taken(&self) -> MutexGuard<'_, HashMap<DeviceKey, Vec<Bson>>> {
        self.inner
            .taken
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    fn devices(&self, deployment: Deployment) -> Collection<Document> {
        read::of(&self.inner.mongo, DEVICES, Mongo::reading(deployment))
    }

    async fn found(&self, key: &DeviceKey) -> Result<Option<Found>, Fault> {
        let devices = self.devices(self.inner.mongo.deployed().await?);
        let stages = [
            doc! { "$match": { "_id": key.as_str() } },
            doc! { "$set": { "now": "$$NOW" } },
        ];
        let found = async move {
            let mut found = devices.aggregate(stages).max_time(PATIENCE).await?;
            if found.advance().await? {
                found.deserialize_current().map(Some)
            } else {
                Ok(None)
            }
        };
        let found = self.inner.mongo.run(PATIENCE, found).await?;
        Ok(found.map(|found| Found::read(&found, time::unix_ms() - LIFE_MS)))
    }

    async fn claimed(&self, key: &DeviceKey, known: bool) -> Result<ClaimedRecords, Fault> {
        let Some(found) = self.found(key).await? else {
            return Ok(ClaimedRecords::default());
        };
        if !key.is_of_device() {
            return self.of_token(key, known, found).await;
        }
        if found.owner.as_ref() != Some(&self.me()) {
            self.own(key).await?;
        }
        let (own, others) = self.apart(found.slots);
        let own = own.filter(|_| !known);
        let others = others.into_iter().map(|slot| slot.record).collect();
        // Who is known here is one more connection of the same phone: it leaves nothing for yet
        // another.
        let (left, elsewhere) = if known {
            (Vec::new(), others)
        } else {
            (others, Vec::new())
        };
        Ok(ClaimedRecords {
            own,
            left,
            elsewhere,
        })
    }

    async fn of_token(
        &self,
        key: &DeviceKey,
        known: bool,
        found: Found,
    ) -> Result<ClaimedRecords, Fault> {
        let (own, mut others) = self.apart(found.slots);
        let are_all_left = others.iter().all(|slot| slot.is_left(&[]));
        let living = if are_all_left {
            Vec::new()
        } else {
            directory::living(&self.inner.mongo).await?
        };
        // From here to the end nothing is waited for: what counts as taken in is handed over.
        let mut taken = self.taken();
        if let Some(taken) = taken.get(key) {
            others.retain(|slot| !taken.contains(&slot.stamp));
        }
        let free = taken.len() < TAKEN || taken.contains_key(key);
        let (left, elsewhere): (Vec<Slot>, Vec<Slot>) = others
            .into_iter()
            .partition(|slot| free && slot.is_left(&living));
        if !left.is_empty() {
            taken
                .entry(key.clone())
                .or_default()
                .extend(left.iter().map(|slot| slot.stamp.clone()));
        }
        drop(taken);
        let records = |slots: Vec<Slot>| slots.into_iter().map(|slot| slot.record).collect();
        Ok(ClaimedRecords {
            own: own.filter(|_| !known),
            left: records(left),
            elsewhere: records(elsewhere),
        })
    }

    /// What this node has saved, and the others' slots.
    fn apart(&self, slots: Vec<Slot>) -> (Option<DeviceRecord>, Vec<Slot>) {
        let me = self.me();
        let (own, others): (Vec<Slot>, Vec<Slot>) =
            slots.into_iter().partition(|slot| slot.by == Some(me));
        (
            own.into_iter()
                .map(|slot| slot.record)
                .reduce(document::both),
            others,
        )
    }

    /// The newest connection of a device is this node's.
    async fn own(&self, key: &DeviceKey) -> Result<(), Fault> {
        let deployment = self.inner.mongo.deployed().await?;
        let devices = self.devices(deployment);
        let (filter, set) = (
            doc! { "_id": key.as_str() },
            doc! { "$set": { "owner": self.me().to_string() } },
        );
        let concern = Mongo::writing(deployment);
        let owned = async move {
            devices
                .update_one(filter, set)
                .write_concern(concern)
                .await
                .map(drop)
        };
        self.inner.mongo.run(PATIENCE, owned).await
    }

    /// What these nodes left is not in the database any more.
    fn removed(&self, gone: Vec<(DeviceKey, Vec<Bson>)>) {
        let mut taken = self.taken();
        for (key, stamps) in gone {
            if let Some(rest) = taken.get_mut(&key) {
                rest.retain(|stamp| !stamps.contains(stamp));
                if rest.is_empty() {
                    taken.remove(&key);
                }
            }
        }
    }

    fn has_indexes(&self) -> bool {
        self.inner.has_indexes.load(Ordering::Relaxed)
    }
}

impl DeviceStore for MongoDevices {
    /// The smallest position of all nodes'. What cannot be read is answered by a record that nobody
    /// can go on from: the client is told to reload.
    async fn load(&self, key: &DeviceKey) -> Result<Option<DeviceRecord>, LogError> {
        let found = self.found(key).await.map_err(Fault::unavailable)?;
        let slots = found.into_iter().flat_map(|found| found.slots);
        Ok(slots.map(|slot| slot.record).reduce(document::both))
    }

    async fn claim(&self, key: &DeviceKey, known: bool) -> Result<ClaimedRecords, LogError> {
        self.claimed(key, known).await.map_err(Fault::unavailable)
    }

    fn serve(&self, node: NodeId) {
        *self.inner.me.lock().unwrap_or_else(PoisonError::into_inner) = node;
    }

    async fn leave(&self, records: Vec<(DeviceKey, DeviceRecord)>) -> Result<(), LogError> {
        self.keep(records, false).await.map_err(Fault::unknown)
    }

    async fn save(&self, records: Vec<(DeviceKey, DeviceRecord)>) -> Result<(), LogError> {
        self.keep(records, true).await.map_err(Fault::unknown)
    }
}

//! The records of devices, for many nodes: the last positions of clients that send no position
//! themselves. Of two positions the older one is always the safe one.
//!
//! - A device or a token may have several connections. Each node keeps a *slot* of its own in the
//!   document. No node touches the slot of another live node while the client has connections
//!   there, and a client that connects continues from the smallest position of all slots.
//! - A slot is *left* when its connections to its node have ended, or when the lease of that node
//!   has ended. The node that reads a left slot takes it in, and removes it with its next save if
//!   the slot is unchanged.
//! - A client may come to another node before its slot is left: its line broke without a sign, or
//!   its node was killed. The node that it came to notes its *arrival*, so that nobody is awaited
//!   once the slot is left.
//! - Nodes of version 79f6e03 let one node own the document of a device: the slot of the owner
//!   takes the place of all others. So the slots of a device are also kept as *copies*, which such
//!   nodes do not know, and the owner is none of them until a client connects to one.

mod arrivals;
mod claim;
mod document;
mod save;
#[cfg(test)]
mod tests;

use std::{
    collections::HashMap,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use mongodb::{bson::Bson, options::ReadConcern};
use parking_lot::Mutex;

use self::{arrivals::Arrivals, document::DeviceDocument};
use super::{collection, fault::MongoFault, handle::Mongo};
use crate::{
    device::{
        Claimant, ClaimedRecords, DeviceError, DeviceKey, DeviceRecord, DeviceStore, LIFE_MS,
    },
    values::{NodeId, time},
};

const DEVICES: &str = "rt_device";

/// Records of clients that may come back, in the database of the log that their positions are in.
///
/// A handle: all clones count as the same node. Make one for each node.
#[derive(Debug, Clone)]
pub struct MongoDevices {
    inner: Arc<MongoDevicesState>,
}

#[derive(Debug)]
struct MongoDevicesState {
    mongo: Mongo,
    /// The node that saves.
    node: Mutex<NodeId>,
    has_indexes: AtomicBool,
    /// Held during a save: saves of one node follow each other.
    saving: tokio::sync::Mutex<()>,
    /// The stamps of the slots that this node has taken in, and that no save has removed yet.
    taken_in: Mutex<HashMap<DeviceKey, Vec<Bson>>>,
    /// The connections that may be of clients of other nodes' slots.
    arrivals: Mutex<Arrivals>,
}

impl MongoDevices {
    /// Returns the records in a database. This does not contact the database.
    #[must_use]
    pub fn new(mongo: &Mongo) -> Self {
        let inner = MongoDevicesState {
            mongo: mongo.clone(),
            node: Mutex::new(NodeId::random()),
            has_indexes: AtomicBool::new(false),
            saving: tokio::sync::Mutex::default(),
            taken_in: Mutex::default(),
            arrivals: Mutex::default(),
        };
        Self {
            inner: Arc::new(inner),
        }
    }

    fn node(&self) -> NodeId {
        *self.inner.node.lock()
    }

    fn has_indexes(&self) -> bool {
        self.inner.has_indexes.load(Ordering::Relaxed)
    }

    /// Reads the document of a client, without the slots that have expired.
    ///
    /// A server that has been replaced as the primary may not know it yet, and lack a client that
    /// would then miss events without being told. So a linearizable read decides that there is
    /// none. An older document is no danger: the older of two positions is the safe one.
    async fn read_document(&self, key: &DeviceKey) -> Result<Option<DeviceDocument>, MongoFault> {
        let deployment = self.inner.mongo.known_deployment().await?;
        let found = self.read_with(deployment.read_concern(), key).await?;
        if found.as_ref().is_some_and(|found| !found.slots.is_empty()) {
            return Ok(found);
        }
        self.read_with(deployment.linearizable_read_concern(), key)
            .await
    }

    async fn read_with(
        &self,
        concern: ReadConcern,
        key: &DeviceKey,
    ) -> Result<Option<DeviceDocument>, MongoFault> {
        let mongo = &self.inner.mongo;
        let devices = collection::on_primary(mongo, DEVICES, Some(concern));
        let found = collection::find_with_time(mongo, devices, &key.to_string()).await?;
        let oldest = time::unix_ms() - LIFE_MS;
        Ok(found.map(|found| DeviceDocument::read(&found, oldest)))
    }
}

impl DeviceStore for MongoDevices {
    fn serve(&self, node: NodeId) {
        *self.inner.node.lock() = node;
    }

    async fn claim(
        &self,
        key: &DeviceKey,
        claimant: Claimant,
    ) -> Result<ClaimedRecords, DeviceError> {
        let claimed = self.try_claim(key, claimant).await;
        claimed.map_err(DeviceError::new)
    }

    async fn save(&self, records: Vec<(DeviceKey, DeviceRecord)>) -> Result<(), DeviceError> {
        let saved = self.try_save(records, true).await;
        saved.map_err(DeviceError::new)
    }

    async fn leave(&self, records: Vec<(DeviceKey, DeviceRecord)>) -> Result<(), DeviceError> {
        let saved = self.try_save(records, false).await;
        saved.map_err(DeviceError::new)
    }
}

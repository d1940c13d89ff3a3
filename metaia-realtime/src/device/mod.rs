//! Device resume: clients that send no position continue where they were.
//!
//! A client is recognised by its user and `auth.device`, otherwise by its user and its token's
//! `jti`. A [`DeviceStore`] keeps for a day the position up to which the client has certainly
//! received everything, and its order rooms. A client that reconnects receives what it missed, even
//! after the server was killed.

mod key;
pub(crate) mod ledger;
mod memory;
mod record;

use std::future::Future;

use futures_util::future::BoxFuture;

pub use key::{DeviceKey, InvalidDeviceKey, TokenId};
pub(crate) use ledger::{ClientProgress, SignOfLife};
pub use memory::MemoryDevices;
pub use record::DeviceRecord;

use crate::{log::LogError, values::NodeId};

/// Time after which a record is forgotten, in ms: a day.
pub const LIFE_MS: i64 = 24 * 60 * 60 * 1000;

/// Records that are kept of one user. More devices are treated as invented names, and the oldest
/// records are dropped.
pub const RECORDS_PER_USER: usize = 64;

/// The records of a client that connects to a node, as the store hands them to the node.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ClaimedRecords {
    /// The record that this node saved last. Always `None` if the node knows the client itself.
    pub own: Option<DeviceRecord>,
    /// Records of other nodes that have no connection of the client any more. They belong to this
    /// node from now on: its next save of the key replaces them.
    pub left: Vec<DeviceRecord>,
    /// Records of other nodes that have, or may have, connections of the client. They stay with
    /// those nodes.
    pub elsewhere: Vec<DeviceRecord>,
}

/// A store for the records of clients.
///
/// If several nodes share a store, the older position is always the safe one. A node saves the
/// positions of its own connections; that must not hide the record of another node whose connection
/// with the same token is further behind.
///
/// Contract, with the failure that each clause prevents:
/// - `save` is all or nothing, and `load` returns what the last completed `save` stored: otherwise
///   a client continues behind the position that another record already promised.
/// - A record is forgotten [`LIFE_MS`] after its `at`, at the latest at the next save: otherwise
///   the store grows for ever.
/// - The newest [`RECORDS_PER_USER`] records of a user are kept and the others dropped, at the
///   latest when one of that user is saved: otherwise a client that connects under ever new names
///   fills the store.
/// - Records outlive the process if the log does: a position in a log that is gone only leads to a
///   reset.
///
/// `testing::device_contract` (feature `testing`) tests a store against the contract.
pub trait DeviceStore: Send + Sync + 'static {
    /// Returns the record of a client, unless it is too old.
    ///
    /// # Errors
    /// Returns [`LogError::Unavailable`] if the store cannot be read.
    fn load(
        &self,
        key: &DeviceKey,
    ) -> impl Future<Output = Result<Option<DeviceRecord>, LogError>> + Send;

    /// Claims the records of a client that connects to this node. The node calls it at each
    /// connect.
    ///
    /// `known` is true if the node knows the client itself, and so better than the store. By
    /// default, for stores that one node uses, it returns the result of [`load`](Self::load) if the
    /// client is not known.
    ///
    /// # Errors
    /// Returns [`LogError::Unavailable`] if the store cannot be read.
    ///
    /// # Cancel safety
    /// Dropping the future changes nothing that matters: call it again.
    fn claim(
        &self,
        key: &DeviceKey,
        known: bool,
    ) -> impl Future<Output = Result<ClaimedRecords, LogError>> + Send {
        async move {
            let own = if known { None } else { self.load(key).await? };
            Ok(ClaimedRecords {
                own,
                ..ClaimedRecords::default()
            })
        }
    }

    /// Tells the store the id of the node that saves through this handle, when the node starts. By
    /// default it does nothing.
    fn serve(&self, _node: NodeId) {}

    /// Saves the records of clients that are no longer connected to this node: another node may
    /// claim them. By default it does the same as [`save`](Self::save).
    ///
    /// # Errors
    /// Returns the errors of [`save`](Self::save).
    ///
    /// # Cancel safety
    /// As for [`save`](Self::save), dropping the future leaves the outcome open.
    fn leave(
        &self,
        records: Vec<(DeviceKey, DeviceRecord)>,
    ) -> impl Future<Output = Result<(), LogError>> + Send {
        self.save(records)
    }

    /// Saves records. Each replaces the earlier record under its key.
    ///
    /// # Errors
    /// Returns [`LogError::Unavailable`] if nothing was stored, and [`LogError::Unknown`] if the
    /// records may have been stored. Saving again is safe.
    ///
    /// # Cancel safety
    /// Dropping the future leaves the outcome open.
    fn save(
        &self,
        records: Vec<(DeviceKey, DeviceRecord)>,
    ) -> impl Future<Output = Result<(), LogError>> + Send;
}

/// The erased twin of [`DeviceStore`].
pub(crate) trait DynDeviceStore: Send + Sync {
    fn claim<'a>(
        &'a self,
        key: &'a DeviceKey,
        known: bool,
    ) -> BoxFuture<'a, Result<ClaimedRecords, LogError>>;
    fn serve(&self, node: NodeId);
    fn leave(&self, records: Vec<(DeviceKey, DeviceRecord)>)
    -> BoxFuture<'_, Result<(), LogError>>;
    fn save(&self, records: Vec<(DeviceKey, DeviceRecord)>) -> BoxFuture<'_, Result<(), LogError>>;
}

impl<S: DeviceStore> DynDeviceStore for S {
    fn claim<'a>(
        &'a self,
        key: &'a DeviceKey,
        known: bool,
    ) -> BoxFuture<'a, Result<ClaimedRecords, LogError>> {
        Box::pin(DeviceStore::claim(self, key, known))
    }
    fn serve(&self, node: NodeId) {
        DeviceStore::serve(self, node);
    }
    fn leave(
        &self,
        records: Vec<(DeviceKey, DeviceRecord)>,
    ) -> BoxFuture<'_, Result<(), LogError>> {
        Box::pin(DeviceStore::leave(self, records))
    }
    fn save(&self, records: Vec<(DeviceKey, DeviceRecord)>) -> BoxFuture<'_, Result<(), LogError>> {
        Box::pin(DeviceStore::save(self, records))
    }
}

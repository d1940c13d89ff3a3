//! The contract of stores for the records of clients.

use std::future::Future;

use futures_util::future::BoxFuture;

use super::{DeviceKey, DeviceRecord};
use crate::values::NodeId;

/// Error of a store that cannot be read or written now.
#[derive(Debug, thiserror::Error)]
#[error("the positions of clients are not available")]
pub struct DeviceError(#[source] Box<dyn std::error::Error + Send + Sync>);

impl DeviceError {
    /// Wraps the cause. It is logged and never sent to clients.
    pub fn new(cause: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self(cause.into())
    }
}

/// The two kinds of nodes that claim the records of a client: one that knows it, and one that does
/// not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Claimant {
    /// The node has no record of the client.
    New,
    /// The node has a newer record than the one that it saved last.
    Known,
}

/// The records of a client that connects to a node, as the store hands them to the node.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ClaimedRecords {
    /// The record that this node saved last. `None` for a client that the node knows.
    pub own: Option<DeviceRecord>,
    /// Records of other nodes that have no connection of the client any more. They belong to this
    /// node from now on: its next save of the key replaces them. If the clients of a record have
    /// come back already, it may count no `connections`: then it is used once.
    pub left: Vec<DeviceRecord>,
    /// Records of other nodes that have, or may have, connections of the client. They stay with
    /// those nodes.
    pub elsewhere: Vec<DeviceRecord>,
}

/// A store for the records of clients.
///
/// If several nodes share a store, the older position is always the safe one. A node saves the
/// positions of its own connections; that must not hide the record of another node whose connection
/// under the same key is further behind.
///
/// Contract, with the failure that each clause prevents:
/// - `save` is all or nothing, and `claim` returns what the last completed `save` stored: otherwise
///   a client continues behind the position that another record already promised.
/// - A record is forgotten [`LIFE_MS`](super::LIFE_MS) after its `at`, at the latest at the next
///   save: otherwise the store grows for ever.
/// - The newest [`RECORDS_PER_USER`](super::RECORDS_PER_USER) records of a user are kept and the
///   others dropped, at the latest when one of that user is saved: otherwise a client that connects
///   under ever new names fills the store.
/// - Records outlive the process if the log does: a position in a log that is gone only leads to a
///   reset.
///
/// Clauses for a store that several nodes share:
/// - The record of each node is claimed by the others until that node has replaced it or another
///   node has taken it over. This holds for both kinds of keys: several clients may share a device,
///   and several a token. Otherwise the client that is furthest behind continues from the position
///   of another one. Records are claimed with all their fields: by `connected` a node sees whether
///   another one awaits clients.
/// - A record that a node saved with `leave` is in `left` of one claim, and stays stored until the
///   claimant saves the key: otherwise a crash of the claimant loses it.
/// - If a node claimed a record in `elsewhere`, and the other node then leaves it with an `at`
///   before that claim, the client is the one that came to the claimant. The record is in `left` of
///   no claim of that node: otherwise the client receives everything after it again, at each
///   connect. If `at` is after the claim, the client is another one, and the record is in `left`.
///
/// No method has a default: what is right for a store of one node loses events as soon as there are
/// two. A store that one node uses ignores `serve`, returns the stored record as `own` to a
/// [`Claimant::New`], and does the same for `leave` as for `save`.
///
/// `testing::device_contract` (feature `testing`) tests a store against the contract.
pub trait DeviceStore: Send + Sync + 'static {
    /// Tells the store the id of the node that saves through this handle, when the node starts.
    fn serve(&self, node: NodeId);

    /// Claims the records of a client that connects to this node. The node calls it at each
    /// connect.
    ///
    /// # Errors
    /// Returns [`DeviceError`] if the store cannot be read.
    ///
    /// # Cancel safety
    /// Dropping the future changes nothing that matters: call it again.
    fn claim(
        &self,
        key: &DeviceKey,
        claimant: Claimant,
    ) -> impl Future<Output = Result<ClaimedRecords, DeviceError>> + Send;

    /// Saves the records of clients that are connected to this node. Each replaces the earlier
    /// record of this node under its key.
    ///
    /// # Errors
    /// Returns [`DeviceError`] if the records were not stored, or may not have been. Saving again
    /// is safe.
    ///
    /// # Cancel safety
    /// Dropping the future leaves the outcome open.
    fn save(
        &self,
        records: Vec<(DeviceKey, DeviceRecord)>,
    ) -> impl Future<Output = Result<(), DeviceError>> + Send;

    /// Saves the records of clients that are no longer connected to this node: another node may
    /// claim them.
    ///
    /// # Errors
    /// Returns the errors of [`save`](Self::save).
    ///
    /// # Cancel safety
    /// As for [`save`](Self::save), dropping the future leaves the outcome open.
    fn leave(
        &self,
        records: Vec<(DeviceKey, DeviceRecord)>,
    ) -> impl Future<Output = Result<(), DeviceError>> + Send;
}

/// The erased twin of [`DeviceStore`].
pub(crate) trait DynDeviceStore: Send + Sync {
    fn serve(&self, node: NodeId);
    fn claim<'a>(
        &'a self,
        key: &'a DeviceKey,
        claimant: Claimant,
    ) -> BoxFuture<'a, Result<ClaimedRecords, DeviceError>>;
    fn save(
        &self,
        records: Vec<(DeviceKey, DeviceRecord)>,
    ) -> BoxFuture<'_, Result<(), DeviceError>>;
    fn leave(
        &self,
        records: Vec<(DeviceKey, DeviceRecord)>,
    ) -> BoxFuture<'_, Result<(), DeviceError>>;
}

impl<S: DeviceStore> DynDeviceStore for S {
    fn serve(&self, node: NodeId) {
        DeviceStore::serve(self, node);
    }
    fn claim<'a>(
        &'a self,
        key: &'a DeviceKey,
        claimant: Claimant,
    ) -> BoxFuture<'a, Result<ClaimedRecords, DeviceError>> {
        Box::pin(DeviceStore::claim(self, key, claimant))
    }
    fn save(
        &self,
        records: Vec<(DeviceKey, DeviceRecord)>,
    ) -> BoxFuture<'_, Result<(), DeviceError>> {
        Box::pin(DeviceStore::save(self, records))
    }
    fn leave(
        &self,
        records: Vec<(DeviceKey, DeviceRecord)>,
    ) -> BoxFuture<'_, Result<(), DeviceError>> {
        Box::pin(DeviceStore::leave(self, records))
    }
}

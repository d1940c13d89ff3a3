//! Presence: the sessions of all nodes of a cluster, which the nodes share through a [`Directory`].
//!
//! Each node announces its own sessions in batches and renews a lease. When the lease ends, the
//! other nodes no longer see its sessions. A query on a node
//! ([`Realtime::sessions`](crate::Realtime::sessions) and the like) reads the node's own sessions
//! from its registry, and those of other nodes from the directory, which may be a second behind.
//!
//! Delivery does not depend on it: if the directory is not available, only these queries fail.

mod format;
mod memory;
mod refusal;
mod view;

use std::{future::Future, time::Duration};

use futures_util::future::BoxFuture;

pub use format::{FORMAT, all_read};
pub use memory::MemoryDirectory;
pub use refusal::{RefusalView, RefusedRequest};
pub use view::{
    NodeView, Presence, RoomPage, RoomQuery, RoomView, SessionPage, SessionQuery, SessionView,
};

use crate::values::{NodeId, SessionId};

/// Lease of a node: the time for which its sessions are seen after its last `begin` or `renew`.
pub const LEASE: Duration = Duration::from_secs(15);

/// A change of one session, as its node announces it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SessionChange {
    /// The session is connected, with these properties.
    Here(SessionView),
    /// The session has ended. It may never have been announced.
    Gone(SessionId),
}

/// Error of a directory that cannot be read or written now.
#[derive(Debug, thiserror::Error)]
#[error("the directory of sessions is not available")]
pub struct DirectoryError(#[source] pub Box<dyn std::error::Error + Send + Sync>);

/// A directory through which nodes share which sessions are connected to them.
///
/// Contract, with the failure that each clause prevents:
/// - `begin` registers a node without sessions. All its earlier announcements are void, also those
///   that arrive late: a node begins again if it does not know the outcome of an announcement, and
///   a session that has ended must not reappear.
/// - A node and its sessions are seen until its lease ends, counted from the last `begin` or
///   `renew` by *one* clock, the directory's: the nodes' clocks differ, and could not tell which
///   nodes are gone. After that no reader sees them.
/// - `renew` returns whether all sessions of the node are still registered. `false` means that the
///   lease had ended or the sessions were lost: then `renew` has changed nothing, and the node
///   begins again. A node that was suspended must not bring back its old sessions.
/// - `announce` applies its changes in order; a later change of the same session replaces an
///   earlier one. If it fails, some of the changes may have been applied. Announcements of a node
///   that has not begun are not seen.
/// - `leave` removes a node and its sessions at once.
/// - Records of nodes whose lease has ended are removed, at the latest after a few renewals by any
///   node.
/// - Sessions are in the order of their ids, and rooms in the order of their names, byte by byte:
///   otherwise pages would repeat some and miss others that are connected all the time.
///
/// `testing::directory_contract` (feature `testing`) tests a directory against every clause.
///
/// # Cancel safety
/// Dropping a future leaves the outcome open. The node drops a future that takes longer than 3 s.
pub trait Directory: Send + Sync + 'static {
    /// Registers a node without sessions.
    ///
    /// # Errors
    /// Returns [`DirectoryError`] if the directory is not available.
    fn begin(
        &self,
        node: &NodeView,
        lease: Duration,
    ) -> impl Future<Output = Result<(), DirectoryError>> + Send;

    /// Renews a node's lease. Returns whether its sessions are still registered.
    ///
    /// # Errors
    /// Returns [`DirectoryError`] if the directory is not available.
    fn renew(
        &self,
        node: &NodeView,
        lease: Duration,
    ) -> impl Future<Output = Result<bool, DirectoryError>> + Send;

    /// Applies changes of a node's sessions, in order.
    ///
    /// # Errors
    /// Returns [`DirectoryError`] if the directory is not available. Some of the changes may have
    /// been applied.
    fn announce(
        &self,
        node: NodeId,
        changes: Vec<SessionChange>,
    ) -> impl Future<Output = Result<(), DirectoryError>> + Send;

    /// Removes a node and its sessions. A node that is not registered may leave, too.
    ///
    /// # Errors
    /// Returns [`DirectoryError`] if the directory is not available.
    fn leave(&self, node: NodeId) -> impl Future<Output = Result<(), DirectoryError>> + Send;

    /// Returns the registered nodes, as they were at their last `begin` or `renew`, in the order of
    /// their ids.
    ///
    /// # Errors
    /// Returns [`DirectoryError`] if the directory is not available.
    fn nodes(&self) -> impl Future<Output = Result<Vec<NodeView>, DirectoryError>> + Send;

    /// Returns the first sessions that match the query, in the order of their ids.
    ///
    /// # Errors
    /// Returns [`DirectoryError`] if the directory is not available.
    fn sessions(
        &self,
        query: &SessionQuery,
    ) -> impl Future<Output = Result<Vec<SessionView>, DirectoryError>> + Send;

    /// Returns the first rooms that match the query, in the order of their names.
    ///
    /// # Errors
    /// Returns [`DirectoryError`] if the directory is not available.
    fn rooms(
        &self,
        query: &RoomQuery,
    ) -> impl Future<Output = Result<Vec<RoomView>, DirectoryError>> + Send;
}

/// The erased twin of [`Directory`].
pub(crate) trait DynDirectory: Send + Sync {
    fn begin<'a>(
        &'a self,
        node: &'a NodeView,
        lease: Duration,
    ) -> BoxFuture<'a, Result<(), DirectoryError>>;
    fn renew<'a>(
        &'a self,
        node: &'a NodeView,
        lease: Duration,
    ) -> BoxFuture<'a, Result<bool, DirectoryError>>;
    fn announce(
        &self,
        node: NodeId,
        changes: Vec<SessionChange>,
    ) -> BoxFuture<'_, Result<(), DirectoryError>>;
    fn leave(&self, node: NodeId) -> BoxFuture<'_, Result<(), DirectoryError>>;
    fn nodes(&self) -> BoxFuture<'_, Result<Vec<NodeView>, DirectoryError>>;
    fn sessions<'a>(
        &'a self,
        query: &'a SessionQuery,
    ) -> BoxFuture<'a, Result<Vec<SessionView>, DirectoryError>>;
    fn rooms<'a>(
        &'a self,
        query: &'a RoomQuery,
    ) -> BoxFuture<'a, Result<Vec<RoomView>, DirectoryError>>;
}

impl<D: Directory> DynDirectory for D {
    fn begin<'a>(
        &'a self,
        node: &'a NodeView,
        lease: Duration,
    ) -> BoxFuture<'a, Result<(), DirectoryError>> {
        Box::pin(Directory::begin(self, node, lease))
    }
    fn renew<'a>(
        &'a self,
        node: &'a NodeView,
        lease: Duration,
    ) -> BoxFuture<'a, Result<bool, DirectoryError>> {
        Box::pin(Directory::renew(self, node, lease))
    }
    fn announce(
        &self,
        node: NodeId,
        changes: Vec<SessionChange>,
    ) -> BoxFuture<'_, Result<(), DirectoryError>> {
        Box::pin(Directory::announce(self, node, changes))
    }
    fn leave(&self, node: NodeId) -> BoxFuture<'_, Result<(), DirectoryError>> {
        Box::pin(Directory::leave(self, node))
    }
    fn nodes(&self) -> BoxFuture<'_, Result<Vec<NodeView>, DirectoryError>> {
        Box::pin(Directory::nodes(self))
    }
    fn sessions<'a>(
        &'a self,
        query: &'a SessionQuery,
    ) -> BoxFuture<'a, Result<Vec<SessionView>, DirectoryError>> {
        Box::pin(Directory::sessions(self, query))
    }
    fn rooms<'a>(
        &'a self,
        query: &'a RoomQuery,
    ) -> BoxFuture<'a, Result<Vec<RoomView>, DirectoryError>> {
        Box::pin(Directory::rooms(self, query))
    }
}

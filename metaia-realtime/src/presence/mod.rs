//! Who is connected to which node: what the nodes of a cluster tell each other by a [`Directory`].
//!
//! Each node announces its own sessions, in batches, and renews a lease; when that ends, so do they
//! for everybody else. What is asked of a node ([`Realtime::sessions`](crate::Realtime::sessions)
//! and the like) is answered from its own registry for its own sessions, and from the directory for
//! those of others, which may be a second behind.
//!
//! Nothing that is delivered depends on it: where the directory is away, only such questions are
//! not answered.

mod memory;
mod view;

use std::{future::Future, time::Duration};

use futures_util::future::BoxFuture;

pub use memory::MemoryDirectory;
pub use view::{
    NodeView, Presence, RoomPage, RoomQuery, RoomView, SessionPage, SessionQuery, SessionView,
};

use crate::{SessionId, values::NodeId};

/// How long a node's sessions are believed in after it was last heard of.
pub const LEASE: Duration = Duration::from_secs(15);

/// What has become of a session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// It is here, and so.
    Here(SessionView),
    /// It has ended. It may never have been announced.
    Gone(SessionId),
}

/// The directory did not answer, or did not take it.
#[derive(Debug, thiserror::Error)]
#[error("the directory of sessions is not available")]
pub struct DirectoryError(#[source] pub Box<dyn std::error::Error + Send + Sync>);

/// Where nodes tell each other who is connected to them.
///
/// Contract, with the failure that each clause prevents:
/// - `begin` puts a node there with no sessions. Whatever it announced before is gone for good,
///   also what arrives late: a node begins again where it does not know what became of an
///   announcement, and a session that has ended must not come back.
/// - A node and its sessions are seen until its lease is over, counted from the last `begin` or
///   `renew` by *one* clock, the directory's: nodes' clocks differ, and nobody could tell who is
///   gone. After that they are not seen, whoever looks.
/// - `renew` answers whether the node's sessions are all there still. `false`: the lease was over,
///   or they were lost; it has done nothing then, and the node begins again. A node that was asleep
///   must not bring back what it had then.
/// - `announce` makes its changes in order; a later one of the same session counts. It may be done
///   in part where it fails. What is announced by a node that has not begun is not seen.
/// - `leave` removes a node and its sessions at once.
/// - What nodes left behind whose lease is over is removed, at the latest when somebody renews a
///   few times.
/// - Sessions are in the order of their ids, rooms in that of their names, byte by byte: pages
///   would repeat and miss some that are there all the time.
///
/// `testing::directory_contract` (feature `testing`) puts a directory to every clause.
///
/// # Cancel safety
/// Dropping a future leaves the outcome open. The node drops what takes longer than 3 s.
pub trait Directory: Send + Sync + 'static {
    /// A node is here, and has no sessions yet.
    ///
    /// # Errors
    /// [`DirectoryError`].
    fn begin(
        &self,
        node: &NodeView,
        lease: Duration,
    ) -> impl Future<Output = Result<(), DirectoryError>> + Send;

    /// A node is here still. Answers whether its sessions are.
    ///
    /// # Errors
    /// [`DirectoryError`].
    fn renew(
        &self,
        node: &NodeView,
        lease: Duration,
    ) -> impl Future<Output = Result<bool, DirectoryError>> + Send;

    /// What has become of sessions of a node.
    ///
    /// # Errors
    /// [`DirectoryError`]; some of it may have been taken.
    fn announce(
        &self,
        node: NodeId,
        changes: Vec<Change>,
    ) -> impl Future<Output = Result<(), DirectoryError>> + Send;

    /// A node has gone. Also one that was never here.
    ///
    /// # Errors
    /// [`DirectoryError`].
    fn leave(&self, node: NodeId) -> impl Future<Output = Result<(), DirectoryError>> + Send;

    /// The nodes that are here, as they last said, in the order of their ids.
    ///
    /// # Errors
    /// [`DirectoryError`].
    fn nodes(&self) -> impl Future<Output = Result<Vec<NodeView>, DirectoryError>> + Send;

    /// The first sessions that the query asks for, in the order of their ids.
    ///
    /// # Errors
    /// [`DirectoryError`].
    fn sessions(
        &self,
        query: &SessionQuery,
    ) -> impl Future<Output = Result<Vec<SessionView>, DirectoryError>> + Send;

    /// The first rooms that the query asks for, in the order of their names.
    ///
    /// # Errors
    /// [`DirectoryError`].
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
        changes: Vec<Change>,
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
        changes: Vec<Change>,
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

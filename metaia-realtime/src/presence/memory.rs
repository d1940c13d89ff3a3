//! A directory in memory, for the nodes of one process, as in tests.

use std::{
    collections::{BTreeMap, HashMap},
    future::{Future, ready},
    sync::Arc,
    time::Duration,
};

use parking_lot::{Mutex, MutexGuard};
use tokio::time::Instant;

use super::{
    Directory, DirectoryError, NodeView, RoomQuery, RoomView, SessionChange, SessionQuery,
    SessionView,
};
use crate::values::{NodeId, SessionId};

/// A directory in memory. A handle: clones share it. The nodes' own limits bound its size.
#[derive(Debug, Clone, Default)]
pub struct MemoryDirectory(Arc<Mutex<HashMap<NodeId, Lease>>>);

#[derive(Debug)]
struct Lease {
    node: NodeView,
    until: Instant,
    sessions: BTreeMap<SessionId, SessionView>,
}

impl MemoryDirectory {
    /// Locks the nodes, after it has removed those whose lease has ended.
    fn live_nodes(&self) -> MutexGuard<'_, HashMap<NodeId, Lease>> {
        let mut nodes = self.0.lock();
        let now = Instant::now();
        nodes.retain(|_, lease| lease.until > now);
        nodes
    }

    fn apply(&self, node: NodeId, changes: Vec<SessionChange>) {
        let mut nodes = self.live_nodes();
        let Some(lease) = nodes.get_mut(&node) else {
            return;
        };
        for change in changes {
            match change {
                SessionChange::Here(session) => {
                    lease.sessions.insert(session.id, session);
                }
                SessionChange::Gone(id) => {
                    lease.sessions.remove(&id);
                }
            }
        }
    }

    fn matching_rooms(&self, query: &RoomQuery) -> Vec<RoomView> {
        let nodes = self.live_nodes();
        let wanted = nodes
            .values()
            .filter(|lease| query.not_of != Some(lease.node.id));
        let sessions = wanted.flat_map(|lease| lease.sessions.values());
        let rooms = sessions.flat_map(|session| &session.rooms);
        query.first_of(rooms.map(|room| RoomView {
            room: room.clone(),
            sessions: 1,
        }))
    }
}

impl Directory for MemoryDirectory {
    fn begin(
        &self,
        node: &NodeView,
        lease: Duration,
    ) -> impl Future<Output = Result<(), DirectoryError>> + Send {
        let lease = Lease {
            node: node.clone(),
            until: Instant::now() + lease,
            sessions: BTreeMap::new(),
        };
        self.live_nodes().insert(node.id, lease);
        ready(Ok(()))
    }

    fn renew(
        &self,
        node: &NodeView,
        lease: Duration,
    ) -> impl Future<Output = Result<bool, DirectoryError>> + Send {
        let mut nodes = self.live_nodes();
        let Some(known) = nodes.get_mut(&node.id) else {
            return ready(Ok(false));
        };
        known.node = node.clone();
        known.until = Instant::now() + lease;
        ready(Ok(true))
    }

    fn announce(
        &self,
        node: NodeId,
        changes: Vec<SessionChange>,
    ) -> impl Future<Output = Result<(), DirectoryError>> + Send {
        self.apply(node, changes);
        ready(Ok(()))
    }

    fn leave(&self, node: NodeId) -> impl Future<Output = Result<(), DirectoryError>> + Send {
        self.live_nodes().remove(&node);
        ready(Ok(()))
    }

    fn nodes(&self) -> impl Future<Output = Result<Vec<NodeView>, DirectoryError>> + Send {
        let nodes = self.live_nodes();
        let mut views: Vec<_> = nodes.values().map(|lease| lease.node.clone()).collect();
        views.sort_by_key(|node| node.id);
        ready(Ok(views))
    }

    fn sessions(
        &self,
        query: &SessionQuery,
    ) -> impl Future<Output = Result<Vec<SessionView>, DirectoryError>> + Send {
        let nodes = self.live_nodes();
        let sessions = nodes.values().flat_map(|lease| lease.sessions.values());
        ready(Ok(query.first_of(sessions.cloned())))
    }

    fn rooms(
        &self,
        query: &RoomQuery,
    ) -> impl Future<Output = Result<Vec<RoomView>, DirectoryError>> + Send {
        ready(Ok(self.matching_rooms(query)))
    }
}

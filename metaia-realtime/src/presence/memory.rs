//! A directory in memory: for the nodes of one process, as in tests.

use std::{
    collections::{BTreeMap, HashMap},
    future::{Future, ready},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::time::Instant;

use super::{
    Change, Directory, DirectoryError, NodeView, RoomQuery, RoomView, SessionQuery, SessionView,
};
use crate::{SessionId, values::NodeId};

/// A directory in memory. A handle: clones share it. Bounded by what the nodes' own limits are.
#[derive(Debug, Clone, Default)]
pub struct MemoryDirectory(Arc<Mutex<HashMap<NodeId, Entry>>>);

#[derive(Debug)]
struct Entry {
    node: NodeView,
    until: Instant,
    sessions: BTreeMap<SessionId, SessionView>,
}

impl MemoryDirectory {
    fn here(&self) -> MutexGuard<'_, HashMap<NodeId, Entry>> {
        let mut nodes = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        nodes.retain(|_, entry| entry.until > now);
        nodes
    }

    fn add(&self, node: NodeId, changes: Vec<Change>) {
        let mut nodes = self.here();
        let Some(entry) = nodes.get_mut(&node) else {
            return;
        };
        for change in changes {
            match change {
                Change::Here(session) => drop(entry.sessions.insert(session.id, session)),
                Change::Gone(id) => drop(entry.sessions.remove(&id)),
            }
        }
    }

    fn rooms_of(&self, query: &RoomQuery) -> Vec<RoomView> {
        let nodes = self.here();
        let others = nodes
            .values()
            .filter(|entry| query.not_of != Some(entry.node.id));
        let rooms = others
            .flat_map(|entry| entry.sessions.values())
            .flat_map(|session| &session.rooms);
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
        let entry = Entry {
            node: node.clone(),
            until: Instant::now() + lease,
            sessions: BTreeMap::new(),
        };
        self.here().insert(node.id, entry);
        ready(Ok(()))
    }

    fn renew(
        &self,
        node: &NodeView,
        lease: Duration,
    ) -> impl Future<Output = Result<bool, DirectoryError>> + Send {
        let mut nodes = self.here();
        let renewed = nodes.get_mut(&node.id).map(|entry| {
            entry.node = node.clone();
            entry.until = Instant::now() + lease;
        });
        ready(Ok(renewed.is_some()))
    }

    fn announce(
        &self,
        node: NodeId,
        changes: Vec<Change>,
    ) -> impl Future<Output = Result<(), DirectoryError>> + Send {
        self.add(node, changes);
        ready(Ok(()))
    }

    fn leave(&self, node: NodeId) -> impl Future<Output = Result<(), DirectoryError>> + Send {
        self.here().remove(&node);
        ready(Ok(()))
    }

    fn nodes(&self) -> impl Future<Output = Result<Vec<NodeView>, DirectoryError>> + Send {
        let mut nodes: Vec<_> = self
            .here()
            .values()
            .map(|entry| entry.node.clone())
            .collect();
        nodes.sort_by_key(|node| node.id);
        ready(Ok(nodes))
    }

    fn sessions(
        &self,
        query: &SessionQuery,
    ) -> impl Future<Output = Result<Vec<SessionView>, DirectoryError>> + Send {
        let nodes = self.here();
        let sessions = nodes.values().flat_map(|entry| entry.sessions.values());
        ready(Ok(query.first_of(sessions.cloned())))
    }

    fn rooms(
        &self,
        query: &RoomQuery,
    ) -> impl Future<Output = Result<Vec<RoomView>, DirectoryError>> + Send {
        ready(Ok(self.rooms_of(query)))
    }
}

//! The directory of sessions in MongoDB. `rt_node` has one document per node, with the end of its
//! lease by the server's clock; `rt_session` has one per session.
//!
//! Each time a node begins it gets a new *term*, and its sessions belong to that term. Readers see
//! only the sessions of the current terms of live nodes. So no session of an earlier term comes
//! back, even if a write that has timed out arrives late. The sessions of ended terms are removed
//! with every third renewal of a lease.

mod read;
mod row;
mod write;

use std::{
    collections::HashMap,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU32, Ordering},
    },
    time::Duration,
};

use mongodb::{
    Collection,
    bson::{Document, doc},
    error::Error,
};
use parking_lot::Mutex;

use super::{collection, fault::MongoFault, handle::Mongo, options::OPERATION_TIMEOUT};
use crate::{
    presence::{
        Directory, DirectoryError, NodeView, RoomQuery, RoomView, SessionChange, SessionQuery,
        SessionView,
    },
    values::{EventId, NodeId},
};

const NODES: &str = "rt_node";
const SESSIONS: &str = "rt_session";

/// The number of renewals after which what ended terms have left behind is removed.
const RENEWALS_PER_CLEANUP: u32 = 3;

/// The directory of sessions in a MongoDB that several nodes share.
///
/// A handle: clones share its connections and the nodes that have begun through them.
#[derive(Debug, Clone)]
pub struct MongoDirectory {
    mongo: Mongo,
    state: Arc<DirectoryState>,
}

#[derive(Debug, Default)]
struct DirectoryState {
    /// The terms of the nodes that have begun through this handle.
    terms: Mutex<HashMap<NodeId, String>>,
    has_indexes: AtomicBool,
    renewals: AtomicU32,
}

impl MongoDirectory {
    /// Returns the directory of this database, which need not exist yet.
    #[must_use]
    pub fn new(mongo: &Mongo) -> Self {
        Self {
            mongo: mongo.clone(),
            state: Arc::default(),
        }
    }

    fn term(&self, node: NodeId) -> Option<String> {
        self.state.terms.lock().get(&node).cloned()
    }

    /// Returns a collection that is read on the primary: a read sees a write of a moment ago.
    fn collection(&self, name: &str) -> Collection<Document> {
        collection::on_primary(&self.mongo, name, None)
    }

    async fn run<T, F>(&self, work: F) -> Result<T, MongoFault>
    where
        F: Future<Output = Result<T, Error>> + Send + 'static,
        T: Send + 'static,
    {
        self.mongo.run(OPERATION_TIMEOUT, work).await
    }

    /// Creates the indexes for the removal of terms, for pages, and for the most frequent queries.
    async fn create_indexes(&self) -> Result<(), MongoFault> {
        if self.state.has_indexes.load(Ordering::Relaxed) {
            return Ok(());
        }
        for keys in [
            doc! { "term": 1 },
            doc! { "id": 1 },
            doc! { "user": 1 },
            doc! { "rooms": 1 },
        ] {
            collection::create_index(&self.mongo, SESSIONS, keys, false).await?;
        }
        self.state.has_indexes.store(true, Ordering::Relaxed);
        Ok(())
    }

    async fn try_begin(&self, node: &NodeView, lease: Duration) -> Result<(), MongoFault> {
        self.create_indexes().await?;
        let term = EventId::random().to_string();
        self.put_node(node, &term, lease).await?;
        self.state.terms.lock().insert(node.id, term);
        Ok(())
    }

    async fn try_renew(&self, node: &NodeView, lease: Duration) -> Result<bool, MongoFault> {
        let Some(term) = self.term(node.id) else {
            return Ok(false);
        };
        let renewed = self.extend_lease(node, &term, lease).await?;
        let earlier_renewals = self.state.renewals.fetch_add(1, Ordering::Relaxed);
        if earlier_renewals % RENEWALS_PER_CLEANUP == RENEWALS_PER_CLEANUP - 1 {
            self.clean_up().await;
        }
        Ok(renewed)
    }

    /// Removes what ended terms have left behind. A failure is only logged: readers do not see it
    /// in any case.
    async fn clean_up(&self) {
        if let Err(error) = self.remove_ended_terms().await {
            tracing::debug!(
                error = &error as &dyn std::error::Error,
                "the sessions of nodes that are gone are not removed yet"
            );
        }
    }

    async fn try_leave(&self, node: NodeId) -> Result<(), MongoFault> {
        let term = self.state.terms.lock().remove(&node);
        self.remove_node(node).await?;
        match term {
            Some(term) => self.remove_terms(vec![term]).await,
            None => Ok(()),
        }
    }
}

/// Returns the nodes of a database whose lease has not ended: none if it has no directory.
pub(super) async fn live_nodes(mongo: &Mongo) -> Result<Vec<NodeId>, MongoFault> {
    let nodes = MongoDirectory::new(mongo).read_nodes().await?;
    Ok(nodes.iter().map(|node| node.id).collect())
}

fn unavailable(fault: MongoFault) -> DirectoryError {
    DirectoryError(Box::new(fault))
}

impl Directory for MongoDirectory {
    async fn begin(&self, node: &NodeView, lease: Duration) -> Result<(), DirectoryError> {
        self.try_begin(node, lease).await.map_err(unavailable)
    }

    async fn renew(&self, node: &NodeView, lease: Duration) -> Result<bool, DirectoryError> {
        self.try_renew(node, lease).await.map_err(unavailable)
    }

    async fn announce(
        &self,
        node: NodeId,
        changes: Vec<SessionChange>,
    ) -> Result<(), DirectoryError> {
        match self.term(node) {
            Some(term) => self.write(&term, changes).await.map_err(unavailable),
            None => Ok(()),
        }
    }

    async fn leave(&self, node: NodeId) -> Result<(), DirectoryError> {
        self.try_leave(node).await.map_err(unavailable)
    }

    async fn nodes(&self) -> Result<Vec<NodeView>, DirectoryError> {
        self.read_nodes().await.map_err(unavailable)
    }

    async fn sessions(&self, query: &SessionQuery) -> Result<Vec<SessionView>, DirectoryError> {
        self.read_sessions(query).await.map_err(unavailable)
    }

    async fn rooms(&self, query: &RoomQuery) -> Result<Vec<RoomView>, DirectoryError> {
        self.read_rooms(query).await.map_err(unavailable)
    }
}

//! The directory of sessions in MongoDB: `rt_node`, a document per node with the end of its lease
//! by the server's clock, and `rt_session`, one per session.
//!
//! Each time a node begins it has a new *term*, and its sessions are of that term. Only those of a
//! term whose node is here are seen: so nothing of an earlier one comes back, also where a write
//! that nobody waits for any more arrives late. What is left of terms that are over is removed by
//! whoever renews a lease, now and then.

mod read;
mod row;
mod write;

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicU32, Ordering},
    },
    time::Duration,
};

use mongodb::{
    Collection, IndexModel,
    bson::{Document, doc},
    error::Error,
    options::{CollectionOptions, ReadPreference, SelectionCriteria},
};

use super::{Mongo, fault::Fault};
use crate::{
    EventId,
    presence::{
        Directory, DirectoryError, NodeView, RoomQuery, RoomView, SessionChange, SessionQuery,
        SessionView,
    },
    values::NodeId,
};

const NODES: &str = "rt_node";
const SESSIONS: &str = "rt_session";

/// How long one look or write may take.
const PATIENCE: Duration = Duration::from_secs(5);

/// What is left of nodes that are gone is looked for each time that so many leases were renewed.
const RENEWALS: u32 = 3;

/// The directory of sessions in a MongoDB that several nodes share.
///
/// A handle: clones share its connections, and which nodes have begun by them.
#[derive(Debug, Clone)]
pub struct MongoDirectory {
    mongo: Mongo,
    shared: Arc<Shared>,
}

#[derive(Debug, Default)]
struct Shared {
    /// Of the nodes that have begun by this handle.
    terms: Mutex<HashMap<NodeId, String>>,
    has_indexes: AtomicBool,
    renewals: AtomicU32,
}

impl MongoDirectory {
    /// The directory in this database. It need not be there yet.
    #[must_use]
    pub fn new(mongo: &Mongo) -> Self {
        Self {
            mongo: mongo.clone(),
            shared: Arc::default(),
        }
    }

    fn terms(&self) -> MutexGuard<'_, HashMap<NodeId, String>> {
        self.shared
            .terms
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    fn term(&self, node: NodeId) -> Option<String> {
        self.terms().get(&node).cloned()
    }

    /// From the primary: what was written a moment ago is seen.
    fn collection(&self, name: &str) -> Collection<Document> {
        let primary = SelectionCriteria::ReadPreference(ReadPreference::Primary);
        let options = CollectionOptions::builder()
            .selection_criteria(primary)
            .build();
        self.mongo.database().collection_with_options(name, options)
    }

    async fn run<T, F>(&self, work: F) -> Result<T, Fault>
    where
        F: Future<Output = Result<T, Error>> + Send + 'static,
        T: Send + 'static,
    {
        self.mongo.run(PATIENCE, work).await
    }

    /// For the removal of terms, for pages, and for what is asked for most.
    async fn make_indexes(&self) -> Result<(), Fault> {
        if self.shared.has_indexes.load(Ordering::Relaxed) {
            return Ok(());
        }
        for keys in [
            doc! { "term": 1 },
            doc! { "id": 1 },
            doc! { "user": 1 },
            doc! { "rooms": 1 },
        ] {
            let (sessions, model) = (
                self.collection(SESSIONS),
                IndexModel::builder().keys(keys).build(),
            );
            self.run(async move { sessions.create_index(model).await.map(drop) })
                .await?;
        }
        self.shared.has_indexes.store(true, Ordering::Relaxed);
        Ok(())
    }

    async fn try_begin(&self, node: &NodeView, lease: Duration) -> Result<(), Fault> {
        self.make_indexes().await?;
        let term = EventId::random().to_string();
        self.put_node(node, &term, lease).await?;
        self.terms().insert(node.id, term);
        Ok(())
    }

    async fn try_renew(&self, node: &NodeView, lease: Duration) -> Result<bool, Fault> {
        let Some(term) = self.term(node.id) else {
            return Ok(false);
        };
        let renewed = self.extend(node, &term, lease).await?;
        if self.shared.renewals.fetch_add(1, Ordering::Relaxed) % RENEWALS == RENEWALS - 1 {
            // Nobody's sessions depend on it.
            if let Err(error) = self.remove_what_is_over().await {
                let error: &dyn std::error::Error = &error;
                tracing::debug!(
                    error,
                    "what is left of nodes that are gone is not removed yet"
                );
            }
        }
        Ok(renewed)
    }

    async fn try_leave(&self, node: NodeId) -> Result<(), Fault> {
        let term = self.terms().remove(&node);
        self.remove_node(node).await?;
        match term {
            Some(term) => self.remove_terms(vec![term]).await,
            None => Ok(()),
        }
    }
}

/// The nodes of a database whose lease is not over; nobody where there is no directory.
pub(super) async fn living(mongo: &Mongo) -> Result<Vec<NodeId>, Fault> {
    Ok(MongoDirectory::new(mongo)
        .read_nodes()
        .await?
        .iter()
        .map(|node| node.id)
        .collect())
}

fn unavailable(fault: Fault) -> DirectoryError {
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

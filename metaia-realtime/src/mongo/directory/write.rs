//! What nodes write: leases by the server's clock, and batches of sessions.

use std::{collections::BTreeMap, time::Duration};

use mongodb::{
    bson::{Document, doc},
    error::Error,
    options::{Acknowledgment, WriteConcern},
};

use super::{MongoDirectory, NODES, SESSIONS, row};
use crate::{
    SessionId,
    mongo::fault::Fault,
    presence::{NodeView, SessionChange, SessionView},
    values::NodeId,
};

/// About so many bytes of sessions go into one command: well below what a document may have.
const COMMAND: usize = 4 * 1024 * 1024;

impl MongoDirectory {
    /// A node is here, of this term.
    pub(super) async fn put_node(
        &self,
        node: &NodeView,
        term: &str,
        lease: Duration,
    ) -> Result<(), Fault> {
        let mut set = until(node, lease);
        set.insert("term", term);
        let (nodes, id) = (self.collection(NODES), node.id.to_string());
        let work = async move {
            let update = nodes.update_one(doc! { "_id": id }, vec![doc! { "$set": set }]);
            update
                .upsert(true)
                .write_concern(majority())
                .await
                .map(drop)
        };
        self.run(work).await
    }

    /// Answers whether the lease was not over.
    pub(super) async fn extend(
        &self,
        node: &NodeView,
        term: &str,
        lease: Duration,
    ) -> Result<bool, Fault> {
        let set = until(node, lease);
        let mut filter = doc! { "_id": node.id.to_string(), "term": term };
        filter.extend(is_here());
        let nodes = self.collection(NODES);
        let work = async move {
            let update = nodes.update_one(filter, vec![doc! { "$set": set }]);
            update
                .write_concern(majority())
                .await
                .map(|done| done.matched_count == 1)
        };
        self.run(work).await
    }

    pub(super) async fn remove_node(&self, node: NodeId) -> Result<(), Fault> {
        let nodes = self.collection(NODES);
        let filter = doc! { "_id": node.to_string() };
        self.run(async move {
            nodes
                .delete_one(filter)
                .write_concern(majority())
                .await
                .map(drop)
        })
        .await
    }

    pub(super) async fn remove_terms(&self, terms: Vec<String>) -> Result<(), Fault> {
        let sessions = self.collection(SESSIONS);
        let filter = doc! { "term": { "$in": terms } };
        self.run(async move { sessions.delete_many(filter).await.map(drop) })
            .await
    }

    /// Terms are looked at before nodes: a node is there before there are sessions of its term.
    pub(super) async fn remove_what_is_over(&self) -> Result<(), Fault> {
        let (nodes, sessions) = (self.collection(NODES), self.collection(SESSIONS));
        let terms = self
            .run(async move { sessions.distinct("term", doc! {}).await })
            .await?;
        let over = doc! { "$expr": { "$lte": ["$expires", "$$NOW"] } };
        self.run(async move { nodes.delete_many(over).await.map(drop) })
            .await?;
        let nodes = self.collection(NODES);
        let here = self
            .run(async move { nodes.distinct("term", doc! {}).await })
            .await?;
        let of_nobody = terms.iter().filter(|term| !here.contains(term));
        let of_nobody: Vec<String> = of_nobody
            .filter_map(|term| term.as_str().map(str::to_owned))
            .collect();
        if of_nobody.is_empty() {
            Ok(())
        } else {
            self.remove_terms(of_nobody).await
        }
    }

    /// Makes changes of sessions of this term; of several of one session the last.
    pub(super) async fn write(&self, term: &str, changes: Vec<SessionChange>) -> Result<(), Fault> {
        let mut last: BTreeMap<SessionId, Option<SessionView>> = BTreeMap::new();
        for change in changes {
            match change {
                SessionChange::Here(session) => last.insert(session.id, Some(session)),
                SessionChange::Gone(id) => last.insert(id, None),
            };
        }
        let gone = last.iter().filter(|(_, session)| session.is_none());
        let gone: Vec<String> = gone.map(|(id, _)| row::key(term, *id)).collect();
        if !gone.is_empty() {
            let sessions = self.collection(SESSIONS);
            let filter = doc! { "_id": { "$in": gone } };
            let work = async move {
                sessions
                    .delete_many(filter)
                    .write_concern(majority())
                    .await
                    .map(drop)
            };
            self.run(work).await?;
        }
        let (mut updates, mut bytes) = (Vec::new(), 0);
        for session in last.into_values().flatten() {
            bytes += 500 + session.rooms.len() * 100;
            updates.push(doc! { "q": { "_id": row::key(term, session.id) }, "u": row::document(term, &session), "upsert": true });
            if bytes > COMMAND {
                self.update(std::mem::take(&mut updates)).await?;
                bytes = 0;
            }
        }
        self.update(updates).await
    }

    /// One command for many documents.
    async fn update(&self, updates: Vec<Document>) -> Result<(), Fault> {
        if updates.is_empty() {
            return Ok(());
        }
        let database = self.mongo.database().clone();
        let concern = doc! { "w": "majority", "wtimeout": 4_000 };
        let command = doc! { "update": SESSIONS, "updates": updates, "ordered": false, "writeConcern": concern };
        let work = async move {
            let done = database.run_command(command).await?;
            let failed = done.contains_key("writeErrors") || done.contains_key("writeConcernError");
            if failed {
                Err(Error::custom("sessions were not all written"))
            } else {
                Ok(())
            }
        };
        self.run(work).await
    }
}

/// What a node says of itself, and until when it is believed, by the server's clock.
fn until(node: &NodeView, lease: Duration) -> Document {
    let number = |n: u64| i64::try_from(n).unwrap_or(i64::MAX);
    let lease = i64::try_from(lease.as_millis()).unwrap_or(i64::MAX);
    doc! { "since": node.since, "sessions": number(node.sessions), "expires": { "$add": ["$$NOW", lease] } }
}

/// Nodes whose lease is not over.
pub(super) fn is_here() -> Document {
    doc! { "$expr": { "$gt": ["$expires", "$$NOW"] } }
}

/// What a new primary may not know would be lost without a sign.
fn majority() -> WriteConcern {
    WriteConcern::builder()
        .w(Acknowledgment::Majority)
        .w_timeout(Duration::from_secs(4))
        .build()
}

//! Writes to the directory: leases by the server's clock, and batches of sessions.

use std::{collections::BTreeMap, time::Duration};

use mongodb::{
    bson::{Document, doc},
    error::Error,
    options::{Acknowledgment, WriteConcern},
};

use super::{MongoDirectory, NODES, SESSIONS, row};
use crate::{
    mongo::{bson::from_number, collection, fault::MongoFault},
    presence::{NodeView, SessionChange, SessionView},
    values::{NodeId, SessionId},
};

/// The approximate size of the sessions in one command: well below the bound of a document.
const MAX_COMMAND_BYTES: usize = 4 * 1024 * 1024;

/// The sizes that are assumed for a session without its rooms, and for each room, in bytes.
const SESSION_BYTES: usize = 500;
const ROOM_BYTES: usize = 100;

/// The time that the server may wait for a majority.
const MAJORITY_TIMEOUT: Duration = Duration::from_secs(4);

impl MongoDirectory {
    /// Writes a node with a new term.
    pub(super) async fn put_node(
        &self,
        node: &NodeView,
        term: &str,
        lease: Duration,
    ) -> Result<(), MongoFault> {
        let mut set = node_fields(node, lease);
        set.insert("term", term);
        let nodes = self.collection(NODES);
        let filter = doc! { "_id": node.id.to_string() };
        let work = async move {
            nodes
                .update_one(filter, vec![doc! { "$set": set }])
                .upsert(true)
                .write_concern(majority())
                .await
                .map(drop)
        };
        self.run(work).await
    }

    /// Extends the lease of a node. Returns false if it had ended.
    pub(super) async fn extend_lease(
        &self,
        node: &NodeView,
        term: &str,
        lease: Duration,
    ) -> Result<bool, MongoFault> {
        let set = node_fields(node, lease);
        let mut filter = doc! { "_id": node.id.to_string(), "term": term };
        filter.extend(has_lease());
        let nodes = self.collection(NODES);
        let work = async move {
            nodes
                .update_one(filter, vec![doc! { "$set": set }])
                .write_concern(majority())
                .await
        };
        let updated = self.run(work).await?;
        Ok(updated.matched_count == 1)
    }

    pub(super) async fn remove_node(&self, node: NodeId) -> Result<(), MongoFault> {
        let nodes = self.collection(NODES);
        let filter = doc! { "_id": node.to_string() };
        let work = async move {
            nodes
                .delete_one(filter)
                .write_concern(majority())
                .await
                .map(drop)
        };
        self.run(work).await
    }

    pub(super) async fn remove_terms(&self, terms: Vec<String>) -> Result<(), MongoFault> {
        let sessions = self.collection(SESSIONS);
        let filter = doc! { "term": { "$in": terms } };
        let work = async move { sessions.delete_many(filter).await.map(drop) };
        self.run(work).await
    }

    /// Removes the nodes whose lease has ended, and the sessions of terms without a node.
    pub(super) async fn remove_ended_terms(&self) -> Result<(), MongoFault> {
        // The terms of sessions are read before those of nodes. A node is written before the
        // sessions of its term, so a term that begins in between is not taken for an ended one.
        let sessions = self.collection(SESSIONS);
        let terms = self
            .run(async move { sessions.distinct("term", doc! {}).await })
            .await?;
        let nodes = self.collection(NODES);
        let has_ended = doc! { "$expr": { "$lte": ["$expires", "$$NOW"] } };
        self.run(async move { nodes.delete_many(has_ended).await.map(drop) })
            .await?;
        let nodes = self.collection(NODES);
        let current = self
            .run(async move { nodes.distinct("term", doc! {}).await })
            .await?;
        let mut ended = Vec::new();
        for term in terms {
            if current.contains(&term) {
                continue;
            }
            if let Some(term) = term.as_str() {
                ended.push(term.to_owned());
            }
        }
        if ended.is_empty() {
            return Ok(());
        }
        self.remove_terms(ended).await
    }

    /// Writes changes of sessions of this term. Of several changes of one session the last counts.
    pub(super) async fn write(
        &self,
        term: &str,
        changes: Vec<SessionChange>,
    ) -> Result<(), MongoFault> {
        let mut last: BTreeMap<SessionId, Option<SessionView>> = BTreeMap::new();
        for change in changes {
            match change {
                SessionChange::Here(session) => last.insert(session.id, Some(session)),
                SessionChange::Gone(id) => last.insert(id, None),
            };
        }
        let mut gone = Vec::new();
        let mut present = Vec::new();
        for (id, session) in last {
            match session {
                Some(session) => present.push(session),
                None => gone.push(row::key(term, id)),
            }
        }
        self.remove_sessions(gone).await?;
        self.put_sessions(term, present).await
    }

    async fn remove_sessions(&self, keys: Vec<String>) -> Result<(), MongoFault> {
        if keys.is_empty() {
            return Ok(());
        }
        let sessions = self.collection(SESSIONS);
        let filter = doc! { "_id": { "$in": keys } };
        let work = async move {
            sessions
                .delete_many(filter)
                .write_concern(majority())
                .await
                .map(drop)
        };
        self.run(work).await
    }

    async fn put_sessions(&self, term: &str, sessions: Vec<SessionView>) -> Result<(), MongoFault> {
        let mut updates = Vec::new();
        let mut bytes = 0;
        for session in sessions {
            bytes += SESSION_BYTES + session.rooms.len() * ROOM_BYTES;
            updates.push(doc! {
                "q": { "_id": row::key(term, session.id) },
                "u": row::document(term, &session),
                "upsert": true,
            });
            if bytes > MAX_COMMAND_BYTES {
                self.update(std::mem::take(&mut updates)).await?;
                bytes = 0;
            }
        }
        self.update(updates).await
    }

    /// Runs one `update` command for many documents.
    async fn update(&self, updates: Vec<Document>) -> Result<(), MongoFault> {
        if updates.is_empty() {
            return Ok(());
        }
        let database = self.mongo.database().clone();
        let command = doc! {
            "update": SESSIONS,
            "updates": updates,
            "ordered": false,
            // The same as `majority()`, in the words of a command.
            "writeConcern": { "w": "majority", "wtimeout": 4_000 },
        };
        let work = async move {
            let reply = database.run_command(command).await?;
            if !collection::is_complete(&reply) {
                return Err(Error::custom("some sessions were not written"));
            }
            Ok(())
        };
        self.run(work).await
    }
}

/// Returns the fields that a node reports, and the end of its lease by the server's clock.
fn node_fields(node: &NodeView, lease: Duration) -> Document {
    let lease = i64::try_from(lease.as_millis()).unwrap_or(i64::MAX);
    doc! {
        "since": node.since,
        "sessions": from_number(node.sessions),
        "format": i64::from(node.format),
        "expires": { "$add": ["$$NOW", lease] },
    }
}

/// Returns the filter of nodes whose lease has not ended.
pub(super) fn has_lease() -> Document {
    doc! { "$expr": { "$gt": ["$expires", "$$NOW"] } }
}

/// Returns the write concern of the directory. A write that only the old primary has would be lost
/// silently after an election.
fn majority() -> WriteConcern {
    WriteConcern::builder()
        .w(Acknowledgment::Majority)
        .w_timeout(MAJORITY_TIMEOUT)
        .build()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{mongo::earlier, presence::LEASE};

    #[test]
    fn a_lease_has_what_an_earlier_version_reads() {
        let stored = earlier::documents("interrupted/rt_node").remove(0);
        let view = row::node(&stored).unwrap();
        let fields = node_fields(&view, LEASE);
        for name in ["since", "sessions"] {
            assert_eq!(fields.get(name), stored.get(name), "{name}");
        }
        assert!(fields.contains_key("expires"));
    }
}

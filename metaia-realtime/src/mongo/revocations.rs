//! Revocations of tokens, for many nodes. There is one document per user, per token, and for
//! everyone.
//!
//! - Each document has the time of its last `put` by the server's clock. A reader asks for what was
//!   put since its last read, and goes back by a minute ([`OVERLAP_MS`]): a `put` is seen only once
//!   a majority of the members has it, which is later than its time, and the clock of a new primary
//!   may be behind that of the old one.
//! - A `put` that changes no bound has a new time all the same: the one before it may have become
//!   visible so late that readers were past its time.
//! - A reader first proves that its server is the primary, by a linearizable read. A server that
//!   was replaced and does not know it yet would lack what others put.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use futures_util::TryStreamExt as _;
use mongodb::{
    Collection,
    bson::{Bson, Document, doc},
    error::Error,
    options::ReturnDocument,
};

use super::{
    collection::{self, create_index},
    fault::{MongoFault, is_duplicate},
    handle::Mongo,
    options::OPERATION_TIMEOUT,
};
use crate::{
    revocation::{
        KEPT_AFTER_END_MS, Revocation, RevocationChanges, RevocationCursor, RevocationError,
        RevocationStore,
    },
    values::time,
};

const REVOCATIONS: &str = "rt_revocation";

/// The document that the server's clock is read with.
const CLOCK: &str = "clock";

/// The time that a reader goes back, in ms: a minute. A `put` that returned took at most
/// [`OPERATION_TIMEOUT`] from its time until a majority had it.
const OVERLAP_MS: i64 = 60_000;

const _: () = assert!(OVERLAP_MS as u128 > 10 * OPERATION_TIMEOUT.as_millis());

/// Attempts of a `put`, of which several at a time may insert the same document.
const MAX_ATTEMPTS: usize = 5;

/// Revocations in a database, which all nodes of a cluster share.
///
/// A handle: `clone` is cheap and shares the connections.
#[derive(Debug, Clone)]
pub struct MongoRevocations {
    mongo: Mongo,
    has_indexes: Arc<AtomicBool>,
}

impl MongoRevocations {
    /// Returns the revocations in a database. This does not contact the database.
    #[must_use]
    pub fn new(mongo: &Mongo) -> Self {
        Self {
            mongo: mongo.clone(),
            has_indexes: Arc::default(),
        }
    }

    /// Creates the indexes, once. A node that only reads has few documents to search.
    async fn create_indexes(&self) -> Result<(), MongoFault> {
        if self.has_indexes.load(Ordering::Relaxed) {
            return Ok(());
        }
        create_index(&self.mongo, REVOCATIONS, doc! { "changed": 1 }, false).await?;
        create_index(&self.mongo, REVOCATIONS, doc! { "until": 1 }, false).await?;
        self.has_indexes.store(true, Ordering::Relaxed);
        Ok(())
    }

    async fn try_put(&self, revocation: &Revocation) -> Result<Revocation, MongoFault> {
        self.create_indexes().await?;
        let field = bound_field(revocation);
        let before = format!("${field}");
        // A bound that is no number does not count.
        let before = doc! { "$cond": [{ "$isNumber": &before }, &before, null] };
        let bound = doc! { "$max": [before, revocation.bound()] };
        let set = doc! { field: bound, "changed": "$$NOW" };
        let stored = self.upsert(&revocation.key(), set).await?;
        self.delete_ended().await;
        read_record(&stored).ok_or(MongoFault::Damaged("the record of a revocation"))
    }

    /// Sets these fields of a document, which is inserted if there is none. Returns the document.
    async fn upsert(&self, key: &str, set: Document) -> Result<Document, MongoFault> {
        let concern = self.mongo.known_deployment().await?.write_concern();
        let revocations: Collection<Document> = self.mongo.database().collection(REVOCATIONS);
        let filter = doc! { "_id": key };
        let work = async move {
            let mut attempts = 0;
            loop {
                attempts += 1;
                let updated = revocations
                    .find_one_and_update(filter.clone(), vec![doc! { "$set": set.clone() }])
                    .upsert(true)
                    .return_document(ReturnDocument::After)
                    .write_concern(concern.clone())
                    .await;
                match updated {
                    Err(error) if attempts < MAX_ATTEMPTS && is_duplicate(&error) => {}
                    updated => return Ok::<_, Error>(updated?.unwrap_or_default()),
                }
            }
        };
        self.mongo.run(OPERATION_TIMEOUT, work).await
    }

    /// Deletes the records of tokens that have ended. What fails is done by the next `put`.
    async fn delete_ended(&self) {
        let revocations: Collection<Document> = self.mongo.database().collection(REVOCATIONS);
        let ended = time::unix_ms().saturating_sub(KEPT_AFTER_END_MS);
        let filter = doc! { "until": { "$lte": ended } };
        let work = async move { revocations.delete_many(filter).await };
        if let Err(fault) = self.mongo.run(OPERATION_TIMEOUT, work).await {
            let error: &dyn std::error::Error = &fault;
            tracing::debug!(error, "records of expired tokens are not deleted yet");
        }
    }

    async fn try_changes(
        &self,
        since: Option<RevocationCursor>,
    ) -> Result<RevocationChanges, MongoFault> {
        let now = self.server_time().await?;
        let since = since.and_then(|cursor| cursor.as_str().parse::<i64>().ok());
        // A clock that was set back, or that of a new primary: everything is read.
        let filter = match since.filter(|since| *since <= now) {
            Some(since) => {
                let from = since.saturating_sub(OVERLAP_MS);
                doc! { "changed": { "$gte": mongodb::bson::DateTime::from_millis(from) } }
            }
            None => doc! {},
        };
        let revocations: Collection<Document> =
            collection::durable(&self.mongo, REVOCATIONS).await?;
        let work = async move {
            let found = revocations.find(filter).max_time(OPERATION_TIMEOUT).await?;
            found.try_collect::<Vec<Document>>().await
        };
        let found = self.mongo.run(OPERATION_TIMEOUT, work).await?;
        let (mut revocations, damaged) = read_all(found);
        if !damaged.is_empty() {
            revocations.push(self.replace(damaged, now).await?);
        }
        Ok(RevocationChanges {
            revocations,
            cursor: RevocationCursor::new(now.to_string()),
        })
    }

    /// Replaces records that cannot be read by a revocation of everyone's tokens until `now`, once:
    /// it is not known of whom they were.
    async fn replace(&self, damaged: Vec<Bson>, now: i64) -> Result<Revocation, MongoFault> {
        tracing::error!(
            records = damaged.len(),
            "revocations cannot be read; everyone's tokens until now are revoked instead"
        );
        let everyone = Revocation::of_everyone(now);
        let standing = self.try_put(&everyone).await?;
        let revocations: Collection<Document> = self.mongo.database().collection(REVOCATIONS);
        let filter = doc! { "_id": { "$in": damaged, "$ne": everyone.key() } };
        let work = async move { revocations.delete_many(filter).await };
        self.mongo.run(OPERATION_TIMEOUT, work).await?;
        Ok(standing)
    }

    /// Returns the time of the primary's clock, in ms since the Unix epoch. The server has every
    /// write that was acknowledged before.
    async fn server_time(&self) -> Result<i64, MongoFault> {
        if let Some(now) = self.read_clock().await? {
            return Ok(now);
        }
        // The first node of the database, or someone has removed the document.
        self.upsert(CLOCK, doc! { "clock": true }).await?;
        let now = self.read_clock().await?;
        now.ok_or(MongoFault::Damaged("the clock of revocations"))
    }

    /// Reads the time as [`server_time`](Self::server_time); `None` if there is no clock yet.
    async fn read_clock(&self) -> Result<Option<i64>, MongoFault> {
        let deployment = self.mongo.known_deployment().await?;
        let concern = deployment.linearizable_read_concern();
        let revocations = collection::on_primary(&self.mongo, REVOCATIONS, Some(concern));
        let clock = collection::find_with_time(&self.mongo, revocations, CLOCK).await?;
        let now = clock.and_then(|clock| clock.get_datetime("now").ok().copied());
        Ok(now.map(|now| now.timestamp_millis()))
    }
}

impl RevocationStore for MongoRevocations {
    fn is_shared(&self) -> bool {
        true
    }

    async fn put(&self, revocation: Revocation) -> Result<Revocation, RevocationError> {
        let stored = self.try_put(&revocation).await;
        stored.map_err(RevocationError::new)
    }

    async fn changed_since(
        &self,
        since: Option<RevocationCursor>,
    ) -> Result<RevocationChanges, RevocationError> {
        let changes = self.try_changes(since).await;
        changes.map_err(RevocationError::new)
    }
}

/// Returns the field of the bound. Only tokens have an end, which is the field of an index.
const fn bound_field(revocation: &Revocation) -> &'static str {
    match revocation {
        Revocation::Token { .. } => "until",
        _ => "before",
    }
}

/// Reads documents. Returns the records, and the ids of those that cannot be read.
fn read_all(documents: Vec<Document>) -> (Vec<Revocation>, Vec<Bson>) {
    let mut records = Vec::new();
    let mut damaged = Vec::new();
    for mut document in documents {
        match read_record(&document) {
            Some(record) => records.push(record),
            None => damaged.extend(document.remove("_id")),
        }
    }
    damaged.retain(|id| id.as_str() != Some(CLOCK));
    (records, damaged)
}

/// Reads the document of a revocation; `None` if it cannot be read.
fn read_record(document: &Document) -> Option<Revocation> {
    let key = document.get_str("_id").ok()?;
    let read = Revocation::from_stored(key, 0)?;
    let bound = match document.get(bound_field(&read))? {
        Bson::Int64(bound) => *bound,
        Bson::Int32(bound) => i64::from(*bound),
        _ => return None,
    };
    Revocation::from_stored(key, bound)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_document_is_read_or_named() {
        let user = Revocation::of_user("u1".parse().unwrap(), 7);
        for (document, expected) in [
            (doc! { "_id": "user u1", "before": 7_i64 }, user.clone()),
            (doc! { "_id": "user u1", "before": 7 }, user),
            (
                doc! { "_id": "token t", "until": i64::MAX },
                Revocation::of_token("t", None),
            ),
        ] {
            assert_eq!(read_all(vec![document]), (vec![expected], vec![]));
        }
        for document in [
            doc! { "_id": "token t", "before": 7_i64 },
            doc! { "_id": "user u1", "before": "$where" },
            doc! { "_id": "user x y", "before": 7_i64 },
            doc! { "_id": 7 },
        ] {
            let id = document.get("_id").unwrap().clone();
            assert_eq!(read_all(vec![document]), (vec![], vec![id]));
        }
        let clock = doc! { "_id": "clock", "clock": true };
        assert_eq!(read_all(vec![clock, doc! {}]), (vec![], vec![]));
    }
}

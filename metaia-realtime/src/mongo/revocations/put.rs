//! Storing a revocation, and the repair of documents that cannot be read.

use mongodb::{
    Collection,
    bson::{Bson, Document, doc},
    error::Error,
    options::ReturnDocument,
};

use super::{
    MongoRevocations, REVOCATIONS,
    record::{bound_field, is_readable, read_record, still_damaged},
};
use crate::{
    mongo::{
        fault::{MongoFault, is_duplicate},
        options::OPERATION_TIMEOUT,
    },
    revocation::{KEPT_AFTER_END_MS, Revocation},
    values::time,
};

/// Attempts of a `put`, of which several at a time may insert the same document.
const MAX_ATTEMPTS: usize = 5;

const UNREADABLE: MongoFault = MongoFault::Damaged("the record of a revocation");

impl MongoRevocations {
    /// Stores a revocation, and returns the record that stands.
    pub(super) async fn try_put(&self, revocation: &Revocation) -> Result<Revocation, MongoFault> {
        self.create_indexes().await?;
        let stored = match self.raise(revocation).await? {
            Some(stored) => stored,
            None => {
                self.replace(vec![revocation.key().into()]).await?;
                self.raise(revocation).await?.ok_or(UNREADABLE)?
            }
        };
        self.delete_ended().await;
        Ok(stored)
    }

    /// Raises the bound of a document, which is inserted if there is none. Returns the record, or
    /// `None` if there is a document that cannot be read: it stays as it is, since its bound may
    /// have been the greater one.
    async fn raise(&self, revocation: &Revocation) -> Result<Option<Revocation>, MongoFault> {
        let field = bound_field(revocation);
        // If the document cannot be read, the filter does not match, and to insert another one of
        // its id fails.
        let filter = doc! { "_id": revocation.key(), field: is_readable() };
        let bound = doc! { "$max": [format!("${field}"), revocation.bound()] };
        let set = doc! { field: bound, "changed": "$$NOW" };
        let Some(stored) = self.upsert(filter, set).await? else {
            return Ok(None);
        };
        read_record(&stored).map(Some).ok_or(UNREADABLE)
    }

    /// Sets these fields of the document that matches, which is inserted if there is none. Returns
    /// the document, or `None` if there is one of its id that does not match.
    pub(super) async fn upsert(
        &self,
        filter: Document,
        set: Document,
    ) -> Result<Option<Document>, MongoFault> {
        let concern = self.mongo.known_deployment().await?.write_concern();
        let revocations: Collection<Document> = self.mongo.database().collection(REVOCATIONS);
        let work = async move {
            for _ in 0..MAX_ATTEMPTS {
                let updated = revocations
                    .find_one_and_update(filter.clone(), vec![doc! { "$set": set.clone() }])
                    .upsert(true)
                    .return_document(ReturnDocument::After)
                    .write_concern(concern.clone())
                    .await;
                match updated {
                    Err(error) if is_duplicate(&error) => {}
                    updated => return Ok::<_, Error>(Some(updated?.unwrap_or_default())),
                }
            }
            Ok(None)
        };
        self.mongo.run(OPERATION_TIMEOUT, work).await
    }

    /// Deletes the records of tokens that have ended. What fails is done by the next `put`.
    async fn delete_ended(&self) {
        let revocations: Collection<Document> = self.mongo.database().collection(REVOCATIONS);
        let ended = time::unix_ms().saturating_sub(KEPT_AFTER_END_MS);
        let mut until = is_readable();
        until.insert("$lte", ended);
        let filter = doc! { "until": until };
        let work = async move { revocations.delete_many(filter).await };
        if let Err(fault) = self.mongo.run(OPERATION_TIMEOUT, work).await {
            let error: &dyn std::error::Error = &fault;
            tracing::debug!(error, "records of expired tokens are not deleted yet");
        }
    }

    /// Replaces records that cannot be read by a revocation of everyone's tokens until now, once:
    /// it is not known what they were. Returns the record of everyone.
    pub(super) async fn replace(&self, damaged: Vec<Bson>) -> Result<Revocation, MongoFault> {
        tracing::error!(
            records = damaged.len(),
            "revocations cannot be read; everyone's tokens until now are revoked instead"
        );
        let everyone = Revocation::of_everyone(self.server_time().await?);
        self.overwrite_damaged(&everyone).await?;
        let standing = self.raise(&everyone).await?.ok_or(UNREADABLE)?;
        let revocations: Collection<Document> = self.mongo.database().collection(REVOCATIONS);
        let filter = still_damaged(damaged);
        let work = async move { revocations.delete_many(filter).await };
        self.mongo.run(OPERATION_TIMEOUT, work).await?;
        Ok(standing)
    }

    /// Stores a revocation in the place of a document that cannot be read, if there is one.
    async fn overwrite_damaged(&self, revocation: &Revocation) -> Result<(), MongoFault> {
        let concern = self.mongo.known_deployment().await?.write_concern();
        let revocations: Collection<Document> = self.mongo.database().collection(REVOCATIONS);
        let filter = still_damaged(vec![revocation.key().into()]);
        let set = doc! { bound_field(revocation): revocation.bound(), "changed": "$$NOW" };
        let work = async move {
            revocations
                .update_one(filter, vec![doc! { "$set": set }])
                .write_concern(concern)
                .await
        };
        self.mongo.run(OPERATION_TIMEOUT, work).await.map(drop)
    }
}

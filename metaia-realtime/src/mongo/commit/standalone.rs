//! A batch on a standalone server, which has no transactions: for development.
//!
//! The whole batch is written into the head in one step: that is the commit. The first node that
//! finds the batch there then carries it out. Each step of that may be repeated; it has no effect
//! the second time. Readers see the log up to the number in the head, which changes last.

use std::sync::Arc;

use mongodb::{
    Collection,
    bson::{Bson, Document, doc},
    error::{Error, ErrorKind},
    options::WriteConcern,
};
use uuid::Uuid;

use super::{
    batch::CommitBatch,
    commit_point::CommitPoint,
    try_error::{Committed, TryError},
    writes::{WriteGroup, Writes},
};
use crate::{
    crash_points,
    mongo::{
        Deployment, Mongo,
        bson::{from_event_id, from_number, from_uuid},
        fault::{DUPLICATE_KEY, MongoFault, code, is_duplicate, is_refusal},
        head::{HEAD, HeadVersion, recent_with},
        log::read,
        pending::PendingBatch,
        row::{ENTRIES, Row},
    },
};

/// The most bytes of a batch that go into the head: a document is bounded at 16 MiB.
const MAX_CONTENT_BYTES: usize = 12 * 1024 * 1024;

const DAMAGED: MongoFault = MongoFault::Damaged("a batch that is to be carried out");

/// Commits a batch and carries it out.
///
/// # Cancel safety
/// Not cancel safe: never drop a driver future before it is done.
pub(super) async fn commit_through_head(
    mongo: Mongo,
    committer: Uuid,
    batch: Arc<CommitBatch>,
    point: Arc<CommitPoint>,
) -> Result<Committed, TryError> {
    // After the commit it would be too late to find that the log has one of the entries.
    let known = read::known_numbers(&mongo, batch.event_ids())
        .await
        .map_err(TryError::Failed)?;
    if !known.is_empty() {
        return Err(TryError::AlreadyLogged);
    }
    let Some(pending) = PendingBatch::from_batch(committer, &batch) else {
        return Err(TryError::Failed(MongoFault::Impossible(
            "the batch is too large for a standalone server",
        )));
    };
    crash_points::point("mongo-begin");
    if !point.pass() {
        return Err(TryError::Abandoned);
    }
    let head_matched = commit(&mongo, &batch.before, &pending)
        .await
        .map_err(TryError::Unknown)?;
    if !head_matched {
        return Err(TryError::HeadMoved);
    }
    crash_points::point("mongo-pending");
    carry_out(&mongo, &pending)
        .await
        .map_err(TryError::Unknown)?;
    Ok(Committed { must_yield: false })
}

impl PendingBatch {
    /// Returns `None` if the batch does not fit into the head.
    fn from_batch(committer: Uuid, batch: &CommitBatch) -> Option<Self> {
        let groups: Vec<Bson> = batch
            .groups
            .iter()
            .map(|group| group.to_document().into())
            .collect();
        let rows = batch
            .entries
            .iter()
            .map(|entry| mongodb::bson::serialize_to_bson(&Row::from_entry(entry)).ok())
            .collect::<Option<Vec<Bson>>>()?;
        let content = doc! { "groups": groups, "rows": rows }.to_vec().ok()?;
        if content.len() > MAX_CONTENT_BYTES {
            return None;
        }
        Some(Self {
            committer,
            batch: batch.id,
            n: batch.after.n,
            id: batch.after.id,
            bytes: batch.bytes(),
            content,
        })
    }

    /// Decodes the writes and the rows.
    fn decode(&self) -> Option<(Vec<WriteGroup>, Vec<Row>)> {
        let content = Document::from_reader(self.content.as_slice()).ok()?;
        let groups = content
            .get_array("groups")
            .ok()?
            .iter()
            .map(|group| WriteGroup::from_document(group.as_document()?))
            .collect::<Option<_>>()?;
        let rows = content
            .get_array("rows")
            .ok()?
            .iter()
            .map(|row| mongodb::bson::deserialize_from_bson(row.clone()).ok())
            .collect::<Option<_>>()?;
        Some((groups, rows))
    }
}

/// Writes the batch into the head. Returns false if the head is no longer in the state that the
/// batch was planned from.
async fn commit(
    mongo: &Mongo,
    before: &HeadVersion,
    pending: &PendingBatch,
) -> Result<bool, MongoFault> {
    let mut filter = before.filter();
    filter.insert("pending", Bson::Null);
    let set = doc! { "turn": before.turn + 1, "pending": pending.to_document() };
    let heads: Collection<Document> = mongo.database().collection(HEAD);
    let written = heads
        .update_one(filter, doc! { "$set": set })
        .write_concern(write_concern())
        .await?;
    Ok(written.matched_count == 1)
}

/// Carries out a committed batch, of which other nodes may have carried out a part or all.
pub(in crate::mongo) async fn carry_out(
    mongo: &Mongo,
    pending: &PendingBatch,
) -> Result<(), MongoFault> {
    let (groups, rows) = pending.decode().ok_or(DAMAGED)?;
    for group in &groups {
        match write_group(mongo, group).await {
            Ok(()) => {}
            // The batch is committed and cannot be taken back: to stop here would block the log
            // forever.
            Err(error) if is_refusal(&error) => tracing::error!(
                code = code(&error),
                collection = &*group.collection,
                "MongoDB refuses a record of a committed batch: it is left out"
            ),
            Err(error) => return Err(error.into()),
        }
        crash_points::point("mongo-group");
    }
    insert(mongo, ENTRIES, &rows).await?;
    crash_points::point("mongo-carried");
    finish_head(mongo, pending).await?;
    crash_points::point("mongo-committed");
    Ok(())
}

/// Moves the end of the log behind the batch, and removes the batch from the head.
async fn finish_head(mongo: &Mongo, pending: &PendingBatch) -> Result<(), MongoFault> {
    let set = doc! {
        "n": from_number(pending.n),
        "id": from_event_id(pending.id),
        "bytes": { "$add": ["$bytes", pending.bytes] },
        "recent": recent_with(pending.committer, pending.batch),
    };
    let pipeline = vec![doc! { "$set": set }, doc! { "$unset": "pending" }];
    // Nothing matches if another node has done this already.
    let filter = doc! { "pending.batch": from_uuid(pending.batch) };
    let heads: Collection<Document> = mongo.database().collection(HEAD);
    heads
        .update_one(filter, pipeline)
        .write_concern(write_concern())
        .await?;
    Ok(())
}

async fn write_group(mongo: &Mongo, group: &WriteGroup) -> Result<(), Error> {
    let collection: Collection<Document> = mongo.database().collection(&group.collection);
    match &group.writes {
        Writes::Insert(documents) => insert(mongo, &group.collection, documents).await?,
        Writes::Update(updates) => {
            for (filter, update) in updates {
                update_one(&collection, filter, update).await?;
            }
        }
        Writes::UpdateMany(updates) => {
            for (filter, update) in updates {
                collection
                    .update_many(filter.clone(), update.clone())
                    .await?;
            }
        }
        Writes::Delete(filters) => {
            for filter in filters {
                collection.delete_many(filter.clone()).await?;
            }
        }
    }
    Ok(())
}

/// Inserts documents, and skips those that exist already.
async fn insert<T: serde::Serialize + Send + Sync>(
    mongo: &Mongo,
    collection: &str,
    documents: &[T],
) -> Result<(), Error> {
    if documents.is_empty() {
        return Ok(());
    }
    let collection: Collection<T> = mongo.database().collection(collection);
    match collection.insert_many(documents).ordered(false).await {
        Err(error) if !are_duplicates(&error) => Err(error),
        Ok(_) | Err(_) => Ok(()),
    }
}

/// Returns true if every document that was not inserted exists already.
fn are_duplicates(error: &Error) -> bool {
    match &*error.kind {
        ErrorKind::InsertMany(many) => {
            let errors = many.write_errors.as_deref().unwrap_or_default();
            !errors.is_empty() && errors.iter().all(|error| error.code == DUPLICATE_KEY)
        }
        _ => is_duplicate(error),
    }
}

/// Changes or replaces a document, unless the result would violate a unique key.
async fn update_one(
    collection: &Collection<Document>,
    filter: &Document,
    update: &Document,
) -> Result<(), Error> {
    let has_operators = update.keys().next().is_none_or(|key| key.starts_with('$'));
    let updated = if has_operators {
        collection.update_one(filter.clone(), update.clone()).await
    } else {
        collection.replace_one(filter.clone(), update).await
    };
    match updated {
        Err(error) if !is_duplicate(&error) => Err(error),
        Ok(_) | Err(_) => Ok(()),
    }
}

fn write_concern() -> WriteConcern {
    Deployment::Standalone.write_concern()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mongo::{earlier, head::HeadRecord};
    use mongodb::bson::serialize_to_bson;

    #[test]
    fn a_batch_that_an_earlier_version_left_is_the_same() {
        let stored = earlier::documents("interrupted/rt_head").remove(0);
        let pending = HeadRecord::read(&stored).unwrap().pending.unwrap();
        assert_eq!(
            pending.to_document(),
            *stored.get_document("pending").unwrap()
        );
        let (groups, rows) = pending.decode().unwrap();
        let groups: Vec<Bson> = groups
            .iter()
            .map(|group| group.to_document().into())
            .collect();
        let rows: Vec<Bson> = rows
            .iter()
            .map(|row| serialize_to_bson(row).unwrap())
            .collect();
        assert!(groups.len() > 1 && rows.len() > 1, "records and events");
        let content = doc! { "groups": groups, "rows": rows };
        assert_eq!(content.to_vec().unwrap(), pending.content);
    }
}

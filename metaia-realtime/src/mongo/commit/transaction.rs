//! A batch as one transaction, on a replica set.
//!
//! The head is written first, so a batch that conflicts with another transaction fails at once. For
//! records, only the filters of the writes are checked.

use std::sync::Arc;

use mongodb::{
    ClientSession, Collection,
    bson::{Bson, Document, doc},
    error::Error,
    options::{ReadConcern, TransactionOptions},
};
use uuid::Uuid;

use super::{
    batch::CommitBatch,
    command::{run, update},
    commit_point::CommitPoint,
    driver_error::{error_of_entry, error_of_record},
    try_error::{Committed, TryError},
};
use crate::{
    crash_points,
    mongo::{
        Deployment, Mongo,
        bson::from_uuid,
        fault::MongoFault,
        head::HEAD,
        row::{ENTRIES, Row},
        writes::{WriteGroup, Writes},
    },
};

/// The most times that the commit command is sent, while its outcome is unknown.
const COMMIT_TRIES: usize = 3;

/// Writes and commits a batch.
///
/// # Cancel safety
/// Not cancel safe: never drop a driver future before it is done.
pub(super) async fn commit_in_transaction(
    mongo: Mongo,
    committer: Uuid,
    batch: Arc<CommitBatch>,
    point: Arc<CommitPoint>,
) -> Result<Committed, TryError> {
    let mut session = begin(&mongo).await.map_err(error_of_record)?;
    crash_points::point("mongo-begin");
    let committed = match write(&mongo, committer, &batch, &mut session).await {
        Ok(committed) => committed,
        Err(error) => {
            session.abort_transaction().await.ok();
            return Err(error);
        }
    };
    crash_points::point("mongo-written");
    if !point.pass() {
        session.abort_transaction().await.ok();
        return Err(TryError::Abandoned);
    }
    let outcome = commit(&mut session).await;
    crash_points::point("mongo-committed");
    outcome.map(|()| committed)
}

/// Starts a session with a transaction.
async fn begin(mongo: &Mongo) -> Result<ClientSession, Error> {
    let mut session = mongo.client().start_session().await?;
    let options = TransactionOptions::builder()
        .read_concern(ReadConcern::snapshot())
        .write_concern(Deployment::ReplicaSet.write_concern())
        .build();
    session.start_transaction().with_options(options).await?;
    Ok(session)
}

async fn commit(session: &mut ClientSession) -> Result<(), TryError> {
    let mut last = MongoFault::TimedOut;
    for _ in 0..COMMIT_TRIES {
        match session.commit_transaction().await {
            Ok(()) => return Ok(()),
            Err(error) => last = error.into(),
        }
    }
    // Unknown even if the last error says that nothing was stored: an earlier command may have
    // succeeded. The head shows whether it has.
    Err(TryError::Unknown(last))
}

/// Writes everything but the commit.
async fn write(
    mongo: &Mongo,
    committer: Uuid,
    batch: &CommitBatch,
    session: &mut ClientSession,
) -> Result<Committed, TryError> {
    let must_yield = write_head(mongo, committer, batch, session).await?;
    crash_points::point("mongo-head");
    for group in &batch.groups {
        write_group(mongo, group, session).await?;
    }
    write_entries(mongo, batch, session).await?;
    Ok(Committed { must_yield })
}

/// Writes the head. Returns true if another committer has asked for its turn.
async fn write_head(
    mongo: &Mongo,
    committer: Uuid,
    batch: &CommitBatch,
    session: &mut ClientSession,
) -> Result<bool, TryError> {
    let command = doc! {
        "findAndModify": HEAD,
        "query": batch.before.filter(),
        "update": head_update(committer, batch),
        "fields": { "asking": 1 },
    };
    let reply = run(mongo, command, session).await?;
    // Without a `value` no head has matched the filter.
    let before = reply
        .get_document("value")
        .map_err(|_| TryError::HeadMoved)?;
    let asking = before.get("asking");
    Ok(asking.is_some_and(|asking| *asking != from_uuid(committer)))
}

/// Returns the update of the head, as a pipeline.
fn head_update(committer: Uuid, batch: &CommitBatch) -> Vec<Document> {
    let mut pipeline = vec![doc! { "$set": { "turn": batch.after.turn } }];
    pipeline.extend(batch.head_update(committer).pipeline());
    pipeline
}

async fn write_entries(
    mongo: &Mongo,
    batch: &CommitBatch,
    session: &mut ClientSession,
) -> Result<(), TryError> {
    if batch.entries.is_empty() {
        return Ok(());
    }
    let rows = batch.entries.iter().map(|entry| Row::from_entry(entry));
    let entries: Collection<Row> = mongo.database().collection(ENTRIES);
    let inserted = entries.insert_many(rows).session(session).await;
    inserted.map(drop).map_err(error_of_entry)
}

async fn write_group(
    mongo: &Mongo,
    group: &WriteGroup,
    session: &mut ClientSession,
) -> Result<(), TryError> {
    let collection = &*group.collection;
    match &group.writes {
        Writes::Insert(documents) => {
            let collection: Collection<Document> = mongo.database().collection(collection);
            let inserted = collection.insert_many(documents).session(session).await;
            inserted.map(drop).map_err(error_of_record)
        }
        Writes::Update(updates) => {
            let matched = update(mongo, collection, updates, false, session).await?;
            if matched != updates.len() as u64 {
                return Err(TryError::Stale);
            }
            Ok(())
        }
        Writes::UpdateMany(updates) => {
            update(mongo, collection, updates, true, session).await?;
            Ok(())
        }
        Writes::Delete(filters) => {
            let deletes: Bson = filters
                .iter()
                .map(|filter| doc! { "q": filter.clone(), "limit": 0 })
                .collect();
            let command = doc! { "delete": collection, "deletes": deletes };
            run(mongo, command, session).await?;
            Ok(())
        }
    }
}

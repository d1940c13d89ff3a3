//! Carrying out a batch that the head of a standalone server holds: any node may do it, and any
//! step of it may be repeated. A step has no effect the second time.

use mongodb::{
    Collection,
    bson::{Document, doc},
    error::{Error, ErrorKind},
};

use super::{
    Deployment, Mongo,
    bson::from_uuid,
    fault::{DUPLICATE_KEY, MongoFault, code, is_duplicate, is_refusal},
    head::HEAD,
    head_update::HeadUpdate,
    pending::{PendingBatch, PendingContent},
    row::ENTRIES,
    writes::{WriteGroup, Writes},
};
use crate::crash_points;

const DAMAGED: MongoFault = MongoFault::Damaged("a batch that is to be carried out");

/// Carries out a committed batch, of which other nodes may have carried out a part or all.
///
/// # Cancel safety
/// Not cancel safe: never drop a driver future before it is done.
pub(super) async fn carry_out(mongo: &Mongo, pending: &PendingBatch) -> Result<(), MongoFault> {
    let PendingContent { groups, rows } = pending.decode().ok_or(DAMAGED)?;
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
    update_head(mongo, &pending.update).await?;
    crash_points::point("mongo-committed");
    Ok(())
}

/// Moves the end of the log behind the batch, and removes the batch from the head.
async fn update_head(mongo: &Mongo, update: &HeadUpdate) -> Result<(), MongoFault> {
    // Nothing matches if another node has done this already.
    let filter = doc! { "pending.batch": from_uuid(update.batch) };
    let heads: Collection<Document> = mongo.database().collection(HEAD);
    heads
        .update_one(filter, update.pipeline())
        .write_concern(Deployment::Standalone.write_concern())
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

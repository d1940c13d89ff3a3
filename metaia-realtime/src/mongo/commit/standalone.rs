//! A batch on a standalone server, which has no transactions: for development.
//!
//! The whole batch is written into the head in one step: that is the commit. The first node that
//! finds the batch there then [carries it out](carry_out). Readers see the log up to the number in
//! the head, which changes last.

use std::sync::Arc;

use mongodb::{
    Collection,
    bson::{Bson, Document, doc},
};
use uuid::Uuid;

use super::{
    batch::CommitBatch,
    commit_point::CommitPoint,
    known_entries::known_numbers,
    try_error::{Committed, TryError},
};
use crate::{
    crash_points,
    mongo::{
        Deployment, Mongo,
        carry_out::carry_out,
        fault::MongoFault,
        head::{HEAD, HeadVersion},
        pending::PendingBatch,
    },
};

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
    let known = known_numbers(&mongo, batch.event_ids())
        .await
        .map_err(TryError::Failed)?;
    if !known.is_empty() {
        return Err(TryError::AlreadyLogged);
    }
    let update = batch.head_update(committer);
    let Some(pending) = PendingBatch::new(update, &batch.groups, &batch.entries) else {
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
        .write_concern(Deployment::Standalone.write_concern())
        .await?;
    Ok(written.matched_count == 1)
}

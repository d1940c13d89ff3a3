//! A batch on a standalone server, which has no transactions: for development.
//!
//! The whole batch is written into the head in one step, and that is the commit. Then it is carried
//! out from there, by whoever finds it: everything in it does nothing when it is done once more.
//! What is read of the log ends where the head says, which moves last.

use std::sync::Arc;

use mongodb::{
    Collection,
    bson::{Binary, Bson, Document, doc, spec::BinarySubtype},
    error::{Error, ErrorKind},
    options::WriteConcern,
};
use uuid::Uuid;

use super::{
    batch::{Batch, Standing},
    commit_point::Gate,
    outcome::Outcome,
    writes::{Group, Writes},
};
use crate::{
    EventId, crash_points,
    mongo::{
        Deployment, Mongo,
        fault::{DUPLICATE_KEY, Fault, code, is_duplicate, is_refusal},
        head::{HEAD, RECENT, binary, event_id, of_uuid, uuid},
        log::read,
        row::{ENTRIES, Row},
    },
};

/// What fits into the head, in bytes.
const LARGEST: usize = 12 * 1024 * 1024;

const DAMAGED: Fault = Fault::Damaged("a batch that is to be carried out");

/// Commits, and carries out. To be run to its end.
pub(super) async fn put(mongo: Mongo, by: Uuid, batch: Arc<Batch>, gate: Arc<Gate>) -> Outcome {
    // Afterwards it would be too late to find that the log has an entry.
    match read::known(
        &mongo,
        batch.entries.iter().map(|entry| entry.content().id()),
    )
    .await
    {
        Ok(known) if known.is_empty() => {}
        Ok(_) => return Outcome::Known,
        Err(fault) => return Outcome::Failed(fault),
    }
    let Some(pending) = Pending::of(by, &batch) else {
        return Outcome::Failed(Fault::Impossible(
            "a standalone server cannot take so much at once",
        ));
    };
    crash_points::point("mongo-begin");
    if !gate.pass() {
        return Outcome::GivenUp;
    }
    match commit(&mongo, &batch.before, &pending).await {
        Ok(true) => {}
        Ok(false) => return Outcome::Lost,
        Err(fault) => return Outcome::Unknown(fault),
    }
    crash_points::point("mongo-pending");
    match carry_out(&mongo, &pending).await {
        Ok(()) => Outcome::Committed { asked: false },
        Err(fault) => Outcome::Unknown(fault),
    }
}

/// A batch that is committed, and perhaps not carried out.
#[derive(Debug, Clone)]
pub(in crate::mongo) struct Pending {
    by: Uuid,
    batch: Uuid,
    /// Where the head will stand.
    n: u64,
    id: EventId,
    bytes: i64,
    /// Groups and rows. As bytes, since not every server takes names with a `$` into a document.
    content: Vec<u8>,
}

impl Pending {
    fn of(by: Uuid, batch: &Batch) -> Option<Self> {
        let groups: Vec<Bson> = batch
            .groups
            .iter()
            .map(|group| group.to_document().into())
            .collect();
        let rows = batch
            .entries
            .iter()
            .map(|entry| mongodb::bson::serialize_to_bson(&Row::of(entry)).ok());
        let rows = rows.collect::<Option<Vec<Bson>>>()?;
        let content = doc! { "groups": groups, "rows": rows }.to_vec().ok()?;
        let Standing { n, id, .. } = batch.after;
        (content.len() <= LARGEST).then(|| Self {
            by,
            batch: batch.id,
            n,
            id,
            bytes: batch.bytes(),
            content,
        })
    }

    fn to_document(&self) -> Document {
        let content = Binary {
            subtype: BinarySubtype::Generic,
            bytes: self.content.clone(),
        };
        doc! {
            "by": of_uuid(self.by),
            "batch": of_uuid(self.batch),
            "n": self.n.cast_signed(),
            "id": binary(self.id),
            "bytes": self.bytes,
            "content": content,
        }
    }

    pub(in crate::mongo) fn read(document: &Document) -> Option<Self> {
        let Bson::Binary(content) = document.get("content")? else {
            return None;
        };
        Some(Self {
            by: uuid(document.get("by")?)?,
            batch: uuid(document.get("batch")?)?,
            n: u64::try_from(document.get_i64("n").ok()?).ok()?,
            id: event_id(document.get("id")?)?,
            bytes: document.get_i64("bytes").ok()?,
            content: content.bytes.clone(),
        })
    }

    fn content(&self) -> Option<(Vec<Group>, Vec<Row>)> {
        let content = Document::from_reader(self.content.as_slice()).ok()?;
        let groups = content.get_array("groups").ok()?.iter();
        let groups = groups
            .map(|group| Group::of_document(group.as_document()?))
            .collect::<Option<_>>()?;
        let rows = content.get_array("rows").ok()?.iter();
        let rows = rows
            .map(|row| mongodb::bson::deserialize_from_bson(row.clone()).ok())
            .collect::<Option<_>>()?;
        Some((groups, rows))
    }
}

/// `false`: the head is not where it was.
async fn commit(mongo: &Mongo, before: &Standing, pending: &Pending) -> Result<bool, Fault> {
    let mut filter = before.filter();
    filter.insert("pending", Bson::Null);
    let set = doc! { "$set": { "turn": before.turn + 1, "pending": pending.to_document() } };
    let heads: Collection<Document> = mongo.database().collection(HEAD);
    let written = heads
        .update_one(filter, set)
        .write_concern(journaled())
        .await?;
    Ok(written.matched_count == 1)
}

/// Does what is pending, whether or not somebody else has done a part of it, or all.
pub(in crate::mongo) async fn carry_out(mongo: &Mongo, pending: &Pending) -> Result<(), Fault> {
    let (groups, rows) = pending.content().ok_or(DAMAGED)?;
    for group in &groups {
        match carry_out_group(mongo, group).await {
            // Nobody can take the batch back, and nobody must wait for this one for ever.
            Err(error) if is_refusal(&error) => {
                let (code, collection) = (code(&error), &*group.collection);
                tracing::error!(
                    code,
                    collection,
                    "MongoDB refuses a record that was to be written: it is left out"
                );
            }
            done => done?,
        }
        crash_points::point("mongo-group");
    }
    insert(mongo, ENTRIES, &rows).await?;
    crash_points::point("mongo-carried");
    let others = doc! { "$filter": { "input": "$recent", "cond": { "$ne": ["$$this.by", of_uuid(pending.by)] } } };
    let named = doc! { "by": of_uuid(pending.by), "batch": of_uuid(pending.batch) };
    let set = doc! {
        "n": pending.n.cast_signed(),
        "id": binary(pending.id),
        "bytes": { "$add": ["$bytes", pending.bytes] },
        "recent": { "$slice": [{ "$concatArrays": [[named], others] }, RECENT] },
    };
    let filter = doc! { "pending.batch": of_uuid(pending.batch) };
    let heads: Collection<Document> = mongo.database().collection(HEAD);
    let pipeline = vec![doc! { "$set": set }, doc! { "$unset": "pending" }];
    heads
        .update_one(filter, pipeline)
        .write_concern(journaled())
        .await?;
    crash_points::point("mongo-committed");
    Ok(())
}

async fn carry_out_group(mongo: &Mongo, group: &Group) -> Result<(), Error> {
    let collection: Collection<Document> = mongo.database().collection(&group.collection);
    match &group.writes {
        Writes::Insert(documents) => insert(mongo, &group.collection, documents).await?,
        Writes::Update(these) => {
            for (filter, update) in these {
                update_one(&collection, filter, update).await?;
            }
        }
        Writes::UpdateMany(these) => {
            for (filter, update) in these {
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

/// What is there already is there.
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

fn are_duplicates(error: &Error) -> bool {
    match &*error.kind {
        ErrorKind::InsertMany(many) => {
            let errors = many.write_errors.as_deref().unwrap_or_default();
            !errors.is_empty() && errors.iter().all(|error| error.code == DUPLICATE_KEY)
        }
        _ => is_duplicate(error),
    }
}

async fn update_one(
    collection: &Collection<Document>,
    filter: &Document,
    update: &Document,
) -> Result<(), Error> {
    let operators = update.keys().next().is_none_or(|key| key.starts_with('$'));
    let done = if operators {
        collection.update_one(filter.clone(), update.clone()).await
    } else {
        collection.replace_one(filter.clone(), update).await
    };
    match done {
        Err(error) if !is_duplicate(&error) => Err(error),
        Ok(_) | Err(_) => Ok(()),
    }
}

fn journaled() -> WriteConcern {
    Mongo::writing(Deployment::Standalone)
}

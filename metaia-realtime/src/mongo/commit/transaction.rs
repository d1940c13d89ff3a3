//! A batch as one transaction, on a replica set.
//!
//! The head is written first: whoever finds another transaction there has lost at once. Nothing is
//! asked of the records but that the writes' own conditions hold.

use std::sync::Arc;

use mongodb::{
    ClientSession, Collection,
    bson::{Bson, Document, doc},
    error::{Error, TRANSIENT_TRANSACTION_ERROR},
    options::{ReadConcern, TransactionOptions},
};
use uuid::Uuid;

use super::{
    batch::Batch,
    commit_point::Gate,
    outcome::Outcome,
    writes::{Group, Writes},
};
use crate::{
    crash_points,
    mongo::{
        Deployment, Mongo,
        fault::{DUPLICATE_KEY, Fault, code, is_duplicate, is_refusal},
        head::{HEAD, RECENT, of_uuid},
        row::{ENTRIES, Row},
    },
};

/// Tries to commit, while it is not known whether it was.
const COMMITS: usize = 3;

/// Statements of one `update` command, and about how many bytes of them: a command has a bound.
const STATEMENTS: usize = 1_000;
const BYTES: usize = 4 * 1024 * 1024;

/// Writes and commits. To be run to its end.
pub(super) async fn transact(
    mongo: Mongo,
    by: Uuid,
    batch: Arc<Batch>,
    gate: Arc<Gate>,
) -> Outcome {
    let mut session = match begin(&mongo).await {
        Ok(session) => session,
        Err(error) => return of_error(error, false),
    };
    crash_points::point("mongo-begin");
    let asked = match write(&mongo, by, &batch, &mut session).await {
        Ok(asked) => asked,
        Err(outcome) => {
            session.abort_transaction().await.ok();
            return outcome;
        }
    };
    crash_points::point("mongo-written");
    if !gate.pass() {
        session.abort_transaction().await.ok();
        return Outcome::GivenUp;
    }
    let outcome = commit(&mut session, asked).await;
    crash_points::point("mongo-committed");
    outcome
}

/// A session with a transaction.
async fn begin(mongo: &Mongo) -> Result<ClientSession, Error> {
    let mut session = mongo.client().start_session().await?;
    let options = TransactionOptions::builder()
        .read_concern(ReadConcern::snapshot())
        .write_concern(Mongo::writing(Deployment::ReplicaSet))
        .build();
    session.start_transaction().with_options(options).await?;
    Ok(session)
}

async fn commit(session: &mut ClientSession, asked: bool) -> Outcome {
    let mut last = Fault::Late;
    for _ in 0..COMMITS {
        match session.commit_transaction().await {
            Ok(()) => return Outcome::Committed { asked },
            Err(error) => last = error.into(),
        }
    }
    // Also where the server seems sure: whoever looks at the head knows.
    Outcome::Unknown(last)
}

/// Answers whether somebody else has asked to be let by.
async fn write(
    mongo: &Mongo,
    by: Uuid,
    batch: &Batch,
    session: &mut ClientSession,
) -> Result<bool, Outcome> {
    let asked = write_head(mongo, by, batch, session).await?;
    crash_points::point("mongo-head");
    for group in &batch.groups {
        write_group(mongo, group, session).await?;
    }
    if batch.entries.is_empty() {
        return Ok(asked);
    }
    let rows: Vec<Row> = batch.entries.iter().map(|entry| Row::of(entry)).collect();
    let entries: Collection<Row> = mongo.database().collection(ENTRIES);
    let inserted = entries.insert_many(rows).session(session).await;
    inserted
        .map(|_| asked)
        .map_err(|error| of_error(error, true))
}

/// Answers whether somebody else has asked to be let by.
async fn write_head(
    mongo: &Mongo,
    by: Uuid,
    batch: &Batch,
    session: &mut ClientSession,
) -> Result<bool, Outcome> {
    let command = doc! {
        "findAndModify": HEAD,
        "query": batch.before.filter(),
        "update": head(by, batch),
        "fields": { "asking": 1 },
    };
    let answer = run(mongo, command, session).await?;
    let before = answer.get_document("value").map_err(|_| Outcome::Lost)?;
    Ok(before
        .get("asking")
        .is_some_and(|asking| *asking != of_uuid(by)))
}

/// How the head is written.
pub(super) fn head(by: Uuid, batch: &Batch) -> Vec<Document> {
    let others =
        doc! { "$filter": { "input": "$recent", "cond": { "$ne": ["$$this.by", of_uuid(by)] } } };
    let named = doc! { "by": of_uuid(by), "batch": of_uuid(batch.id) };
    let recent = doc! { "$slice": [{ "$concatArrays": [[named], others] }, RECENT] };
    let set = doc! {
        "turn": batch.after.turn,
        "n": batch.after.n.cast_signed(),
        "id": crate::mongo::head::binary(batch.after.id),
        "bytes": { "$add": ["$bytes", batch.bytes()] },
        "recent": recent,
    };
    vec![
        doc! { "$set": set },
        doc! { "$unset": ["asking", "pending"] },
    ]
}

async fn write_group(
    mongo: &Mongo,
    group: &Group,
    session: &mut ClientSession,
) -> Result<(), Outcome> {
    let collection = &*group.collection;
    match &group.writes {
        Writes::Insert(documents) => {
            let collection: Collection<Document> = mongo.database().collection(collection);
            let inserted = collection.insert_many(documents).session(session).await;
            inserted.map(drop).map_err(|error| of_error(error, false))
        }
        Writes::Update(these) => {
            let matched = update(mongo, collection, statements(these, false), session).await?;
            if matched == these.len() as u64 {
                Ok(())
            } else {
                Err(Outcome::Stale)
            }
        }
        Writes::UpdateMany(these) => update(mongo, collection, statements(these, true), session)
            .await
            .map(drop),
        Writes::Delete(filters) => {
            let deletes: Bson = filters
                .iter()
                .map(|filter| doc! { "q": filter.clone(), "limit": 0 })
                .collect();
            run(
                mongo,
                doc! { "delete": collection, "deletes": deletes },
                session,
            )
            .await
            .map(drop)
        }
    }
}

fn statements(these: &[(Document, Document)], multi: bool) -> Vec<Bson> {
    let statement = |(filter, update): &(Document, Document)| {
        doc! { "q": filter.clone(), "u": update.clone(), "multi": multi }.into()
    };
    these.iter().map(statement).collect()
}

/// Answers how many documents matched.
async fn update(
    mongo: &Mongo,
    collection: &str,
    statements: Vec<Bson>,
    session: &mut ClientSession,
) -> Result<u64, Outcome> {
    let mut matched = 0;
    for updates in in_pieces(statements) {
        let answer = run(
            mongo,
            doc! { "update": collection, "updates": updates },
            session,
        )
        .await?;
        matched += u64::try_from(answer.get_i32("n").unwrap_or(0)).unwrap_or(0);
    }
    Ok(matched)
}

/// Each of a size that fits into a command.
fn in_pieces(statements: Vec<Bson>) -> Vec<Vec<Bson>> {
    let (mut pieces, mut bytes) = (vec![Vec::new()], 0);
    for statement in statements {
        let size = statement
            .as_document()
            .and_then(|it| it.to_vec().ok())
            .map_or(0, |it| it.len());
        let full = pieces.last().is_some_and(|piece: &Vec<_>| {
            piece.len() >= STATEMENTS || (!piece.is_empty() && bytes + size > BYTES)
        });
        if full {
            pieces.push(Vec::new());
            bytes = 0;
        }
        bytes += size;
        if let Some(piece) = pieces.last_mut() {
            piece.push(statement);
        }
    }
    pieces
}

async fn run(
    mongo: &Mongo,
    command: Document,
    session: &mut ClientSession,
) -> Result<Document, Outcome> {
    let answer = mongo.database().run_command(command).session(session).await;
    let answer = answer.map_err(|error| of_error(error, false))?;
    let wrong = answer
        .get_array("writeErrors")
        .ok()
        .and_then(|errors| errors.first()?.as_document());
    match wrong.map(|error| error.get_i32("code").unwrap_or(0)) {
        None => Ok(answer),
        Some(DUPLICATE_KEY) => Err(Outcome::Stale),
        Some(code) => {
            tracing::warn!(code, "MongoDB refuses a record");
            Err(Outcome::Stale)
        }
    }
}

/// What an error before the commit means: nothing is stored.
fn of_error(error: Error, of_entries: bool) -> Outcome {
    if is_duplicate(&error) {
        return if of_entries {
            Outcome::Known
        } else {
            Outcome::Stale
        };
    }
    let transient = error.contains_label(TRANSIENT_TRANSACTION_ERROR);
    if transient && is_conflict(&error) {
        return Outcome::Conflict;
    }
    if !transient && !of_entries && is_refusal(&error) {
        // The others of the batch need not suffer from it.
        tracing::warn!(code = code(&error), "MongoDB refuses a record");
        return Outcome::Stale;
    }
    Outcome::Failed(error.into())
}

/// Whether the server answered, and only somebody else was faster.
fn is_conflict(error: &Error) -> bool {
    matches!(*error.kind, mongodb::error::ErrorKind::Command(ref it) if matches!(it.code, 112 | 251 | 246))
        || matches!(
            *error.kind,
            mongodb::error::ErrorKind::InsertMany(_) | mongodb::error::ErrorKind::Write(_)
        )
}

//! A batch as one transaction, on a replica set.
//!
//! The head is written first, so a batch that meets another transaction there loses at once. Of the
//! records nothing is checked but the filters of the writes.

use std::sync::Arc;

use mongodb::{
    ClientSession, Collection,
    bson::{Bson, Document, doc},
    error::{Error, ErrorKind, TRANSIENT_TRANSACTION_ERROR},
    options::{ReadConcern, TransactionOptions},
};
use uuid::Uuid;

use super::{
    batch::Batch,
    commit_point::CommitPoint,
    try_error::{Committed, TryError},
    writes::{WriteGroup, Writes},
};
use crate::{
    crash_points,
    mongo::{
        Deployment, Mongo,
        bson::{from_event_id, from_number, from_uuid},
        fault::{DUPLICATE_KEY, Fault, code, is_duplicate, is_refusal},
        head::{HEAD, recent_with},
        row::{ENTRIES, Row},
    },
};

/// Tries of the commit command, while its outcome is not known.
const COMMIT_TRIES: usize = 3;

/// The most statements in one `update` command, and their approximate size in bytes: the server
/// bounds a command.
const MAX_STATEMENTS: usize = 1_000;
const MAX_COMMAND_BYTES: usize = 4 * 1024 * 1024;

/// Codes of the server by which another transaction was faster: `WriteConflict`,
/// `NoSuchTransaction` (aborted in the meantime) and `SnapshotUnavailable`.
const CONFLICT_CODES: [i32; 3] = [112, 251, 246];

/// Writes and commits a batch.
///
/// # Cancel safety
/// Not cancel safe: run the future to its end, as every future of the driver.
pub(super) async fn commit_in_transaction(
    mongo: Mongo,
    committer: Uuid,
    batch: Arc<Batch>,
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
    let mut last = Fault::TimedOut;
    for _ in 0..COMMIT_TRIES {
        match session.commit_transaction().await {
            Ok(()) => return Ok(()),
            Err(error) => last = error.into(),
        }
    }
    // Unknown even if the last error says that nothing was stored: an earlier try may have
    // succeeded. The head tells.
    Err(TryError::Unknown(last))
}

/// Writes everything but the commit.
async fn write(
    mongo: &Mongo,
    committer: Uuid,
    batch: &Batch,
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
    batch: &Batch,
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
fn head_update(committer: Uuid, batch: &Batch) -> Vec<Document> {
    let set = doc! {
        "turn": batch.after.turn,
        "n": from_number(batch.after.n),
        "id": from_event_id(batch.after.id),
        "bytes": { "$add": ["$bytes", batch.bytes()] },
        "recent": recent_with(committer, batch.id),
    };
    vec![
        doc! { "$set": set },
        doc! { "$unset": ["asking", "pending"] },
    ]
}

async fn write_entries(
    mongo: &Mongo,
    batch: &Batch,
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
            let statements = statements(updates, false);
            let matched = update(mongo, collection, statements, session).await?;
            if matched != updates.len() as u64 {
                return Err(TryError::Stale);
            }
            Ok(())
        }
        Writes::UpdateMany(updates) => {
            let statements = statements(updates, true);
            update(mongo, collection, statements, session).await?;
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

/// Returns the statements of an `update` command.
fn statements(updates: &[(Document, Document)], multi: bool) -> Vec<Bson> {
    let statement = |(filter, update): &(Document, Document)| {
        doc! { "q": filter.clone(), "u": update.clone(), "multi": multi }.into()
    };
    updates.iter().map(statement).collect()
}

/// Updates documents, and returns the number of those that matched.
async fn update(
    mongo: &Mongo,
    collection: &str,
    statements: Vec<Bson>,
    session: &mut ClientSession,
) -> Result<u64, TryError> {
    let mut matched = 0;
    for updates in split_by_size(statements) {
        let command = doc! { "update": collection, "updates": updates };
        let reply = run(mongo, command, session).await?;
        matched += u64::try_from(reply.get_i32("n").unwrap_or(0)).unwrap_or(0);
    }
    Ok(matched)
}

/// Splits statements into pieces that each fit into a command.
fn split_by_size(statements: Vec<Bson>) -> Vec<Vec<Bson>> {
    let mut pieces = Vec::new();
    let mut piece = Vec::new();
    let mut piece_bytes = 0;
    for statement in statements {
        let bytes = size(&statement);
        let is_too_large = !piece.is_empty() && piece_bytes + bytes > MAX_COMMAND_BYTES;
        if is_too_large || piece.len() >= MAX_STATEMENTS {
            pieces.push(std::mem::take(&mut piece));
            piece_bytes = 0;
        }
        piece_bytes += bytes;
        piece.push(statement);
    }
    pieces.push(piece);
    pieces
}

fn size(statement: &Bson) -> usize {
    let bytes = statement.as_document().and_then(|it| it.to_vec().ok());
    bytes.map_or(0, |bytes| bytes.len())
}

/// Runs a command in the transaction.
async fn run(
    mongo: &Mongo,
    command: Document,
    session: &mut ClientSession,
) -> Result<Document, TryError> {
    let reply = mongo
        .database()
        .run_command(command)
        .session(session)
        .await
        .map_err(error_of_record)?;
    // The driver reports the errors of single statements in the reply.
    let first_error = reply
        .get_array("writeErrors")
        .ok()
        .and_then(|errors| errors.first()?.as_document());
    match first_error.map(|error| error.get_i32("code").unwrap_or(0)) {
        None => Ok(reply),
        Some(DUPLICATE_KEY) => Err(TryError::Stale),
        Some(code) => {
            tracing::warn!(code, "MongoDB refuses a record");
            Err(TryError::Stale)
        }
    }
}

/// Classifies an error of writing the head or records. Before the commit, nothing is stored.
fn error_of_record(error: Error) -> TryError {
    if is_duplicate(&error) {
        return TryError::Stale;
    }
    if is_conflict(&error) {
        return TryError::Conflict;
    }
    if !is_transient(&error) && is_refusal(&error) {
        // As `Stale` the jobs of the batch are tried one by one, so only this one fails.
        tracing::warn!(code = code(&error), "MongoDB refuses a record");
        return TryError::Stale;
    }
    TryError::Failed(error.into())
}

/// Classifies an error of writing entries. Before the commit, nothing is stored.
fn error_of_entry(error: Error) -> TryError {
    if is_duplicate(&error) {
        return TryError::AlreadyLogged;
    }
    if is_conflict(&error) {
        return TryError::Conflict;
    }
    TryError::Failed(error.into())
}

/// Returns true if the server works, and only another transaction was faster.
fn is_conflict(error: &Error) -> bool {
    let is_conflict = match &*error.kind {
        ErrorKind::Command(command) => CONFLICT_CODES.contains(&command.code),
        ErrorKind::InsertMany(_) | ErrorKind::Write(_) => true,
        _ => false,
    };
    is_conflict && is_transient(error)
}

fn is_transient(error: &Error) -> bool {
    error.contains_label(TRANSIENT_TRANSACTION_ERROR)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(statement: &Document, count: usize, expected: &[usize]) {
        let statements = vec![Bson::from(statement.clone()); count];
        let pieces = split_by_size(statements);
        let lengths: Vec<usize> = pieces.iter().map(Vec::len).collect();
        assert_eq!(lengths, expected);
    }

    #[test]
    fn statements_are_split_by_number_and_by_size() {
        let small = doc! { "q": 1 };
        check(&small, 1, &[1]);
        check(&small, 2_500, &[1_000, 1_000, 500]);
        let large = doc! { "q": "x".repeat(MAX_COMMAND_BYTES / 3) };
        check(&large, 5, &[2, 2, 1]);
        let too_large = doc! { "q": "x".repeat(MAX_COMMAND_BYTES) };
        check(&too_large, 2, &[1, 1]);
    }
}

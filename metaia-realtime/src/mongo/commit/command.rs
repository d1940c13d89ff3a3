//! Commands in a transaction.

use mongodb::{
    ClientSession,
    bson::{Bson, Document, doc},
};

use super::{driver_error::error_of_record, try_error::TryError};
use crate::mongo::{Mongo, fault::DUPLICATE_KEY};

/// The most statements in one `update` command, and their approximate size in bytes: the server
/// bounds a command.
const MAX_STATEMENTS: usize = 1_000;
const MAX_COMMAND_BYTES: usize = 4 * 1024 * 1024;

/// Runs a command in the transaction.
pub(super) async fn run(
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

/// Updates documents by pairs of filter and update, and returns the number of those that matched.
/// With `multi` a pair changes all documents that match, otherwise one.
pub(super) async fn update(
    mongo: &Mongo,
    collection: &str,
    updates: &[(Document, Document)],
    multi: bool,
    session: &mut ClientSession,
) -> Result<u64, TryError> {
    let mut matched = 0;
    for updates in split_by_size(statements(updates, multi)) {
        let command = doc! { "update": collection, "updates": updates };
        let reply = run(mongo, command, session).await?;
        matched += u64::try_from(reply.get_i32("n").unwrap_or(0)).unwrap_or(0);
    }
    Ok(matched)
}

/// Returns the statements of an `update` command.
fn statements(updates: &[(Document, Document)], multi: bool) -> Vec<Bson> {
    let statement = |(filter, update): &(Document, Document)| {
        doc! { "q": filter.clone(), "u": update.clone(), "multi": multi }.into()
    };
    updates.iter().map(statement).collect()
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

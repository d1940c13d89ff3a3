//! The meaning of the driver's errors for a try, before its commit.

use mongodb::error::{Error, ErrorKind, TRANSIENT_TRANSACTION_ERROR};

use super::try_error::TryError;
use crate::mongo::fault::{code, is_duplicate, is_refusal};

/// Codes of the server by which another transaction was faster: `WriteConflict`,
/// `NoSuchTransaction` (aborted in the meantime) and `SnapshotUnavailable`.
const CONFLICT_CODES: [i32; 3] = [112, 251, 246];

/// Classifies an error of writing the head or records. Before the commit, nothing is stored.
pub(super) fn error_of_record(error: Error) -> TryError {
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
pub(super) fn error_of_entry(error: Error) -> TryError {
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

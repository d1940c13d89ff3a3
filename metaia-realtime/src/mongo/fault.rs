//! Failures of the database, and their translation into the errors that callers see.

use std::fmt;

use mongodb::error::{Error, ErrorKind, RETRYABLE_WRITE_ERROR, WriteFailure};

use crate::log::LogError;

/// The server's code for a unique key that exists already.
pub(super) const DUPLICATE_KEY: i32 = 11_000;

/// The reason why an operation on the database failed.
#[derive(Debug, Clone, thiserror::Error)]
pub(super) enum MongoFault {
    /// The database returned an error, or could not be reached.
    #[error("the database operation failed")]
    Database(#[source] Cause),
    /// The database did not answer within the timeout.
    #[error("the database did not answer in time")]
    TimedOut,
    /// A stored document is not one that this crate writes.
    #[error("in the database, {0} is damaged")]
    Damaged(&'static str),
    /// The database was not read yet, or lacks what the log needs.
    #[error("the log in the database is not ready yet")]
    NotReady,
    /// The database answered with an older state than it has.
    #[error("the database answered with an older state than it has")]
    Behind,
    /// The committer's queue is full.
    #[error("too many changes are waiting for the database")]
    QueueFull,
    /// The log or the handle was closed.
    #[error("the log was closed")]
    Closed,
    /// The task of the operation has panicked.
    #[error("the task of the operation has ended")]
    TaskPanicked,
    /// A change of the embedder has panicked.
    #[error("a change has panicked while it was planned")]
    PlanPanicked,
    /// The operation can never succeed; the text says why.
    #[error("{0}")]
    Impossible(&'static str),
}

impl MongoFault {
    /// Returns the error for an operation of which nothing was stored.
    pub(super) fn unavailable(self) -> LogError {
        LogError::Unavailable(Box::new(self))
    }

    /// Returns the error for an operation that may have been stored.
    pub(super) fn unknown(self) -> LogError {
        LogError::Unknown(Box::new(self))
    }
}

impl From<Error> for MongoFault {
    fn from(error: Error) -> Self {
        Self::Database(Cause(error))
    }
}

/// The driver's error. Its text leaves out the server's full reply, which may contain records.
#[derive(Clone, thiserror::Error)]
pub(super) struct Cause(Error);

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &*self.0.kind {
            ErrorKind::Command(command) => {
                write!(f, "error {} ({})", command.code, command.code_name)
            }
            ErrorKind::Write(_) | ErrorKind::InsertMany(_) | ErrorKind::BulkWrite(_) => {
                write!(
                    f,
                    "a write was refused, error {}",
                    code(&self.0).unwrap_or_default()
                )
            }
            kind => write!(f, "{kind}"),
        }
    }
}

impl fmt::Debug for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Cause({self})")
    }
}

/// Returns true if the write failed because a unique key exists already.
pub(super) fn is_duplicate(error: &Error) -> bool {
    code(error) == Some(DUPLICATE_KEY)
}

/// Returns true if the server refused the operation, and would refuse it again.
pub(super) fn is_refusal(error: &Error) -> bool {
    // `MaxTimeMSExpired`: the operation was too slow, not wrong.
    const MAX_TIME_EXPIRED: i32 = 50;
    let answered = matches!(
        *error.kind,
        ErrorKind::Command(_) | ErrorKind::Write(_) | ErrorKind::InsertMany(_)
    );
    let may_succeed_later =
        error.contains_label(RETRYABLE_WRITE_ERROR) || code(error) == Some(MAX_TIME_EXPIRED);
    answered && !may_succeed_later
}

/// Returns the server's error code, if it sent one.
pub(super) fn code(error: &Error) -> Option<i32> {
    match &*error.kind {
        ErrorKind::Command(command) => Some(command.code),
        ErrorKind::Write(WriteFailure::WriteError(write)) => Some(write.code),
        ErrorKind::InsertMany(many) => many.write_errors.as_ref()?.first().map(|write| write.code),
        _ => None,
    }
}

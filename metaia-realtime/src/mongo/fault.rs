//! Why the database did not do it, and what that means for whoever asked.

use std::fmt;

use mongodb::error::{Error, ErrorKind, RETRYABLE_WRITE_ERROR, WriteFailure};

use crate::log::LogError;

/// A unique key is there already.
pub(super) const DUPLICATE_KEY: i32 = 11_000;

/// Why the database did not do it.
#[derive(Debug, Clone, thiserror::Error)]
pub(super) enum Fault {
    /// It answered something else, or could not be reached.
    #[error("the database did not do it")]
    Database(#[source] Cause),
    /// It did not answer in time.
    #[error("the database did not answer in time")]
    Late,
    /// What is stored is not what was written there.
    #[error("in the database, {0} is not what was written")]
    Damaged(&'static str),
    /// It is not known yet whether the database has what is needed.
    #[error("the log in the database is not ready yet")]
    NotReady,
    /// More waits than may.
    #[error("too many changes are waiting for the database")]
    Full,
    /// The handle was closed.
    #[error("the log was closed")]
    Closed,
    /// The task that did it has panicked.
    #[error("the task that was to do it has ended")]
    Ended,
    /// It cannot be done at all.
    #[error("{0}")]
    Impossible(&'static str),
}

impl Fault {
    /// Nothing was stored.
    pub(super) fn unavailable(self) -> LogError {
        LogError::Unavailable(Box::new(self))
    }

    /// It may have been stored.
    pub(super) fn unknown(self) -> LogError {
        LogError::Unknown(Box::new(self))
    }
}

impl From<Error> for Fault {
    fn from(error: Error) -> Self {
        Self::Database(Cause(error))
    }
}

/// The driver's error without the server's whole answer, in which there may be anybody's records.
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

/// Whether a unique key was there already.
pub(super) fn is_duplicate(error: &Error) -> bool {
    code(error) == Some(DUPLICATE_KEY)
}

/// Whether the server answered that it will not do it, and would not do it later.
pub(super) fn is_refusal(error: &Error) -> bool {
    const MAX_TIME: i32 = 50;
    let answered = matches!(
        *error.kind,
        ErrorKind::Command(_) | ErrorKind::Write(_) | ErrorKind::InsertMany(_)
    );
    answered && !error.contains_label(RETRYABLE_WRITE_ERROR) && code(error) != Some(MAX_TIME)
}

/// The server's code.
pub(super) fn code(error: &Error) -> Option<i32> {
    match &*error.kind {
        ErrorKind::Command(command) => Some(command.code),
        ErrorKind::Write(WriteFailure::WriteError(write)) => Some(write.code),
        ErrorKind::InsertMany(many) => many.write_errors.as_ref()?.first().map(|write| write.code),
        _ => None,
    }
}

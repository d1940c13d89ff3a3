//! What ends work inside a transaction early, and what callers are told.

use rusqlite::ErrorCode;

use crate::{
    log::LogError,
    sqlite::{ReadError, WriteError},
};

/// Why entries were not appended. Nothing of them is kept once the transaction is rolled back.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AppendError {
    /// SQLite did not do it.
    #[error("the entries cannot be written")]
    Database(#[source] rusqlite::Error),
    /// The row that says where the log ends is damaged: the file must be replaced by a backup.
    #[error("the log is damaged")]
    Damaged,
}

/// Why work inside a transaction ended early.
#[derive(Debug)]
pub(super) enum Fault {
    /// SQLite said so.
    Sql(rusqlite::Error),
    /// The row that says where the log ends is damaged.
    Meta,
    /// What was stored up to this entry cannot be vouched for.
    Entries {
        /// The last of them. Beyond the head it means all of them.
        upto: u64,
        /// What is wrong.
        what: &'static str,
    },
    /// The index of the rooms is damaged in this way: nothing that is stored can be found with
    /// certainty.
    Index(&'static str),
}

impl Fault {
    /// Something is wrong, and it cannot be said with which entries.
    pub(super) const fn anywhere(what: &'static str) -> Self {
        Self::Entries {
            upto: u64::MAX,
            what,
        }
    }
}

impl From<rusqlite::Error> for Fault {
    fn from(error: rusqlite::Error) -> Self {
        match error.sqlite_error_code() {
            Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => {
                Self::anywhere("SQLite finds the file damaged")
            }
            _ => Self::Sql(error),
        }
    }
}

impl From<Fault> for AppendError {
    fn from(fault: Fault) -> Self {
        match fault {
            Fault::Sql(error) => Self::Database(error),
            Fault::Meta | Fault::Entries { .. } | Fault::Index(_) => Self::Damaged,
        }
    }
}

impl From<rusqlite::Error> for AppendError {
    fn from(error: rusqlite::Error) -> Self {
        Self::Database(error)
    }
}

/// For errors that nobody distinguishes.
pub(super) fn of_write(error: WriteError<AppendError>) -> LogError {
    match error {
        WriteError::Unknown(error) => LogError::Unknown(error.into()),
        WriteError::Unavailable(error) => LogError::Unavailable(error.into()),
        WriteError::Refused(error) => LogError::Unavailable(error.into()),
        other => LogError::Unavailable(other.to_string().into()),
    }
}

pub(super) fn of_read(error: ReadError<Fault>) -> LogError {
    match error {
        ReadError::Unavailable(error) => LogError::Unavailable(error.into()),
        ReadError::Refused(fault) => LogError::Unavailable(AppendError::from(fault).into()),
        other => LogError::Unavailable(other.to_string().into()),
    }
}

//! Faults that end work inside a transaction early, and the errors that callers receive.

use rusqlite::ErrorCode;

use crate::{
    log::LogError,
    sqlite::{ReadError, WriteError},
};

/// The reason why entries were not appended. Nothing of them is kept once the transaction is rolled
/// back.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AppendError {
    /// SQLite refused a statement.
    #[error("the entries cannot be written")]
    Database(#[source] rusqlite::Error),
    /// The row that says where the log ends is damaged: the file must be replaced by a backup.
    #[error("the log is damaged")]
    Damaged,
}

/// The reason why work inside a transaction ended early.
#[derive(Debug)]
pub(super) enum SqliteFault {
    /// An error of SQLite that is not damage.
    Sql(rusqlite::Error),
    /// The row that says where the log ends is damaged.
    Meta,
    /// The entries up to this one cannot be trusted.
    Entries {
        /// The last of them. A number beyond the head means all entries.
        upto: u64,
        /// The damage, for the log line.
        what: &'static str,
    },
    /// The index of the rooms is damaged: no stored entry can be found with certainty. The text
    /// says how it is damaged.
    Index(&'static str),
}

impl SqliteFault {
    /// Returns the fault of damage that cannot be located: all entries count as damaged.
    pub(super) const fn all_entries(what: &'static str) -> Self {
        Self::Entries {
            upto: u64::MAX,
            what,
        }
    }
}

impl From<rusqlite::Error> for SqliteFault {
    fn from(error: rusqlite::Error) -> Self {
        match error.sqlite_error_code() {
            Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => {
                Self::all_entries("SQLite finds the file damaged")
            }
            _ => Self::Sql(error),
        }
    }
}

impl From<SqliteFault> for AppendError {
    fn from(fault: SqliteFault) -> Self {
        match fault {
            SqliteFault::Sql(error) => Self::Database(error),
            SqliteFault::Meta | SqliteFault::Entries { .. } | SqliteFault::Index(_) => {
                Self::Damaged
            }
        }
    }
}

impl From<rusqlite::Error> for AppendError {
    fn from(error: rusqlite::Error) -> Self {
        Self::Database(error)
    }
}

/// Converts the error of a write for callers that only distinguish "not done" from "not known".
pub(super) fn write_failed(error: WriteError<AppendError>) -> LogError {
    match error {
        WriteError::Unknown(error) => LogError::Unknown(error.into()),
        WriteError::Unavailable(error) => LogError::Unavailable(error.into()),
        WriteError::Refused(error) => LogError::Unavailable(error.into()),
        other => LogError::Unavailable(other.to_string().into()),
    }
}

/// Converts the error of a read: each of them means that the log cannot be read now.
pub(super) fn read_failed(error: ReadError<SqliteFault>) -> LogError {
    match error {
        ReadError::Unavailable(error) => LogError::Unavailable(error.into()),
        ReadError::Refused(fault) => LogError::Unavailable(AppendError::from(fault).into()),
        other => LogError::Unavailable(other.to_string().into()),
    }
}

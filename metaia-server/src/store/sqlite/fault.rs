//! The errors inside a transaction.

use metaia_realtime::{
    event::EventError,
    log::sqlite::AppendError,
    sqlite::{ReadError, WriteError},
};
use rusqlite::{Error as Sql, ErrorCode};

use crate::store::{CommitError, StoreError};

/// The reason why a transaction was rolled back.
#[derive(Debug)]
pub(super) enum Fault {
    /// An error of SQLite.
    Sql(Sql),
    /// A row that is not valid.
    Corrupt(String),
    /// See [`CommitError::Missed`].
    Missed,
    /// See [`CommitError::Claimed`].
    Claimed,
    /// See [`CommitError::Seen`].
    Seen,
    /// See [`StoreError::Event`].
    Event(EventError),
}

impl From<Sql> for Fault {
    fn from(error: Sql) -> Self {
        Self::Sql(error)
    }
}

impl From<AppendError> for Fault {
    fn from(error: AppendError) -> Self {
        match error {
            AppendError::Database(error) => Self::Sql(error),
            other => Self::Corrupt(other.to_string()),
        }
    }
}

impl From<Fault> for CommitError {
    fn from(fault: Fault) -> Self {
        match fault {
            Fault::Missed => Self::Missed,
            Fault::Claimed => Self::Claimed,
            Fault::Seen => Self::Seen,
            Fault::Event(error) => Self::Event(error),
            Fault::Sql(error) => Self::Store(classify(error)),
            Fault::Corrupt(what) => Self::Store(StoreError::Corrupt(what.into())),
        }
    }
}

/// Tells corruption from unavailability. Corruption is a value of another type than its column's,
/// or a file that SQLite reports as damaged.
fn classify(error: Sql) -> StoreError {
    let damaged = matches!(
        error.sqlite_error_code(),
        Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase | ErrorCode::TypeMismatch)
    );
    let mistyped = matches!(
        error,
        Sql::FromSqlConversionFailure(..)
            | Sql::IntegralValueOutOfRange(..)
            | Sql::InvalidColumnType(..)
            | Sql::Utf8Error(..)
    );
    if damaged || mistyped {
        StoreError::Corrupt(error.into())
    } else {
        StoreError::Unavailable(error.into())
    }
}

pub(super) fn from_write(error: WriteError<Fault>) -> CommitError {
    match error {
        WriteError::Refused(fault) => fault.into(),
        WriteError::Unknown(error) => StoreError::Unknown(error.into()).into(),
        WriteError::Unavailable(error) => StoreError::Unavailable(error.into()).into(),
        other => StoreError::Unavailable(other.to_string().into()).into(),
    }
}

pub(super) fn from_probe(error: WriteError<Sql>) -> StoreError {
    StoreError::Unavailable(error.into())
}

pub(super) fn from_read(error: ReadError<Fault>) -> StoreError {
    match error {
        ReadError::Refused(fault) => CommitError::from(fault).into(),
        ReadError::Unavailable(error) => classify(error),
        other => StoreError::Unavailable(other.to_string().into()),
    }
}

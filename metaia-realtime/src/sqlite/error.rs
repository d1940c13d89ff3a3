//! Errors, one enum per family of operations: opening, writing, reading.

use std::{error::Error, ffi::c_int, fmt, io, path::PathBuf};

use rusqlite::{ErrorCode, ffi};

/// The reason why a database was not opened. Nothing was changed, except if a migration is named:
/// earlier migrations are kept.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// The file cannot be created, read or written.
    #[error("{} cannot be opened", .path.display())]
    Unreadable {
        /// The database, or its lock file.
        path: PathBuf,
        /// The error of the system.
        source: Box<dyn Error + Send + Sync>,
    },
    /// Another process has the database open.
    #[error("{} is in use by another process", .path.display())]
    Locked {
        /// The database.
        path: PathBuf,
    },
    /// The file is not a SQLite database, or a damaged one.
    #[error(
        "{} is damaged or not a database: put a backup in its place, or move it away to start \
         again",
        .path.display()
    )]
    Corrupt {
        /// The database.
        path: PathBuf,
        /// The error of SQLite.
        source: rusqlite::Error,
    },
    /// A part of the file is not what was written: put a backup in its place.
    #[error("{} is damaged ({what}): put a backup in its place", .path.display())]
    Damaged {
        /// The database.
        path: PathBuf,
        /// The part that is damaged.
        what: &'static str,
    },
    /// A database of another program.
    #[error("{} belongs to another program (application id {found:#x})", .path.display())]
    Foreign {
        /// The database.
        path: PathBuf,
        /// Its `application_id`.
        found: i32,
    },
    /// A database of a newer version of this program.
    #[error(
        "{} has version {found}, and this program knows versions up to {known}",
        .path.display()
    )]
    Newer {
        /// The database.
        path: PathBuf,
        /// Its `user_version`, or that of the log's tables.
        found: usize,
        /// The newest version that this program knows.
        known: usize,
    },
    /// A migration failed and was rolled back.
    #[error("the migration {name:?} of {} failed", .path.display())]
    Migration {
        /// The database.
        path: PathBuf,
        /// The migration's name.
        name: &'static str,
        /// The error of SQLite.
        source: rusqlite::Error,
    },
}

impl OpenError {
    pub(crate) fn io(path: impl Into<PathBuf>, source: io::Error) -> Self {
        Self::Unreadable {
            path: path.into(),
            source: source.into(),
        }
    }

    /// Returns the error of a failed migration: [`Corrupt`](Self::Corrupt) if the file is damaged,
    /// [`Migration`](Self::Migration) otherwise.
    pub(super) fn migration(
        path: impl Into<PathBuf>,
        name: &'static str,
        source: rusqlite::Error,
    ) -> Self {
        let path = path.into();
        let source = without_statement(source);
        if is_damage(&source) {
            Self::Corrupt { path, source }
        } else {
            Self::Migration { path, name, source }
        }
    }

    pub(crate) fn sqlite(path: impl Into<PathBuf>, source: rusqlite::Error) -> Self {
        let path = path.into();
        if is_damage(&source) {
            return Self::Corrupt { path, source };
        }
        match source.sqlite_error_code() {
            Some(ErrorCode::DatabaseBusy) => Self::Locked { path },
            _ => Self::Unreadable {
                path,
                source: source.into(),
            },
        }
    }
}

/// Returns an SQLite error with a text of this library.
pub(super) fn sqlite_failure(code: c_int, text: &str) -> rusqlite::Error {
    rusqlite::Error::SqliteFailure(ffi::Error::new(code), Some(text.to_owned()))
}

fn is_damage(error: &rusqlite::Error) -> bool {
    matches!(
        error.sqlite_error_code(),
        Some(ErrorCode::NotADatabase | ErrorCode::DatabaseCorrupt)
    )
}

/// Removes the statement from the error's text: it may be the whole schema.
fn without_statement(error: rusqlite::Error) -> rusqlite::Error {
    match error {
        rusqlite::Error::SqlInputError { error, msg, .. } => {
            rusqlite::Error::SqliteFailure(error, Some(msg))
        }
        other => other,
    }
}

/// The reason why a write was not done. Nothing of it is kept, with the exception that
/// [`Unknown`](WriteError::Unknown) states.
#[derive(Debug)]
#[non_exhaustive]
pub enum WriteError<E> {
    /// The closure returned an error.
    Refused(E),
    /// The closure panicked.
    Panicked,
    /// The database cannot be written now: the disk is full, the file was deleted or replaced, or
    /// another tool has it locked ([`Writer::obstacle`](super::Writer::obstacle) says which). A
    /// later attempt may work.
    Unavailable(rusqlite::Error),
    /// The commit met an I/O error, or the thread ended. Readers do not see the change, but it may
    /// reappear after a crash: retry only idempotent writes.
    Unknown(rusqlite::Error),
    /// The writer was closed.
    Closed,
}

impl<E> fmt::Display for WriteError<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Refused(_) => "the write was refused",
            Self::Panicked => "the write panicked",
            Self::Unavailable(_) => "the database cannot be written at the moment",
            Self::Unknown(_) => "the outcome of the write is not known",
            Self::Closed => "the database is closed",
        })
    }
}

impl<E: Error + 'static> Error for WriteError<E> {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Refused(source) => Some(source),
            Self::Unavailable(source) | Self::Unknown(source) => Some(source),
            Self::Panicked | Self::Closed => None,
        }
    }
}

/// The reason why a read returned no result.
#[derive(Debug)]
#[non_exhaustive]
pub enum ReadError<E> {
    /// The closure returned an error.
    Refused(E),
    /// The closure panicked.
    Panicked,
    /// The database cannot be read now.
    Unavailable(rusqlite::Error),
    /// The readers were closed.
    Closed,
}

impl<E> fmt::Display for ReadError<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Refused(_) => "the read was refused",
            Self::Panicked => "the read panicked",
            Self::Unavailable(_) => "the database cannot be read at the moment",
            Self::Closed => "the database is closed",
        })
    }
}

impl<E: Error + 'static> Error for ReadError<E> {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Refused(source) => Some(source),
            Self::Unavailable(source) => Some(source),
            Self::Panicked | Self::Closed => None,
        }
    }
}

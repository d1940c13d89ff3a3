//! What can go wrong, one enum per family of operations.

use std::{error::Error, fmt, io, path::PathBuf};

/// Why a database was not opened. Nothing was changed, except where a migration is named: earlier
/// ones are kept.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// The file cannot be created, read or written.
    #[error("{} cannot be opened", .path.display())]
    Unreadable {
        /// The database, or its lock file.
        path: PathBuf,
        /// What the system said.
        source: Box<dyn Error + Send + Sync>,
    },
    /// Another process has it.
    #[error("{} is in use by another process", .path.display())]
    Locked {
        /// The database.
        path: PathBuf,
    },
    /// The file is not a SQLite database, or a damaged one.
    #[error("{} is damaged or not a database: put a backup in its place, or move it away to begin anew", .path.display())]
    Corrupt {
        /// The database.
        path: PathBuf,
        /// What SQLite said.
        source: rusqlite::Error,
    },
    /// A part of the file is not what was written: put a backup in its place.
    #[error("{} is damaged ({what}): put a backup in its place", .path.display())]
    Damaged {
        /// The database.
        path: PathBuf,
        /// Which part.
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
    #[error("{} has version {found}, and this program knows versions up to {known}", .path.display())]
    Newer {
        /// The database.
        path: PathBuf,
        /// Its `user_version`, or that of the log's tables.
        found: usize,
        /// The newest that is known.
        known: usize,
    },
    /// A migration failed and was rolled back.
    #[error("the migration {name:?} of {} failed", .path.display())]
    Migration {
        /// The database.
        path: PathBuf,
        /// The migration's name.
        name: &'static str,
        /// What SQLite said.
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

    /// A migration failed: for damage of the file, or for its own sake.
    pub(super) fn migration(
        path: impl Into<PathBuf>,
        name: &'static str,
        source: rusqlite::Error,
    ) -> Self {
        let (path, source) = (path.into(), without_statement(source));
        if is_damage(&source) {
            Self::Corrupt { path, source }
        } else {
            Self::Migration { path, name, source }
        }
    }

    pub(crate) fn sqlite(path: impl Into<PathBuf>, source: rusqlite::Error) -> Self {
        use rusqlite::ErrorCode::{DatabaseBusy, DatabaseCorrupt, NotADatabase};
        let path = path.into();
        match source.sqlite_error_code() {
            Some(NotADatabase | DatabaseCorrupt) => Self::Corrupt { path, source },
            Some(DatabaseBusy) => Self::Locked { path },
            _ => Self::Unreadable {
                path,
                source: source.into(),
            },
        }
    }
}

fn is_damage(error: &rusqlite::Error) -> bool {
    use rusqlite::ErrorCode::{DatabaseCorrupt, NotADatabase};
    matches!(
        error.sqlite_error_code(),
        Some(NotADatabase | DatabaseCorrupt)
    )
}

/// The error without the statement that it was found in, which may be the whole schema.
fn without_statement(error: rusqlite::Error) -> rusqlite::Error {
    match error {
        rusqlite::Error::SqlInputError { error, msg, .. } => {
            rusqlite::Error::SqliteFailure(error, Some(msg))
        }
        other => other,
    }
}

/// Why a write was not done. Nothing of it is kept, except where [`Unknown`](WriteError::Unknown)
/// says otherwise.
#[derive(Debug)]
#[non_exhaustive]
pub enum WriteError<E> {
    /// The closure answered an error.
    Refused(E),
    /// The closure panicked.
    Panicked,
    /// The database could not take it now: disk full, locked by another tool. Trying again later
    /// may work.
    Unavailable(rusqlite::Error),
    /// The commit met an I/O error, or the thread ended. Readers do not see the change, but after a
    /// crash it may come back: try again only with what is idempotent.
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

/// Why a read gave no answer.
#[derive(Debug)]
#[non_exhaustive]
pub enum ReadError<E> {
    /// The closure answered an error.
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

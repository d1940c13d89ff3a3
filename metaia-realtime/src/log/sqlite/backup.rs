//! Copies of a database while it is written.
//!
//! A copy is one moment of the database. It is marked as a copy: opened as a log it begins a new
//! epoch, so that clients who have seen more than it has are told to reload.

use std::{
    fs::{self, File, OpenOptions},
    io,
    path::{Path, PathBuf},
};

use rusqlite::Connection;

use super::{fault::Fault, meta::Meta, schema};
use crate::sqlite::{OpenError, readable};

/// Why there is no copy. Nothing is left of it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BackupError {
    /// A file of that name is there, and is left alone.
    #[error("{} exists already", .path.display())]
    Exists {
        /// The copy.
        path: PathBuf,
    },
    /// The database cannot be read.
    #[error("the database cannot be copied")]
    Unreadable(#[source] OpenError),
    /// The copy cannot be written.
    #[error("{} cannot be written", .path.display())]
    Unwritable {
        /// The copy.
        path: PathBuf,
        /// What the system or SQLite said.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}

impl BackupError {
    fn unwritable(
        path: &Path,
        source: impl Into<Box<dyn std::error::Error + Send + Sync>>,
    ) -> Self {
        Self::Unwritable {
            path: path.to_owned(),
            source: source.into(),
        }
    }
}

/// Copies the database `from`, which another process may be writing, into the new file `to`. Blocks
/// until the copy is on disk.
///
/// # Errors
/// See [`BackupError`].
pub fn backup(from: &Path, to: &Path) -> Result<(), BackupError> {
    claim(to)?;
    // Under another name until it is whole: whoever finds the name finds a backup, or an empty
    // file.
    let part = part_of(to);
    let copied = copy(from, &part, to).and_then(|()| publish(&part, to));
    if copied.is_err() {
        let _ = fs::remove_file(&part);
        let _ = fs::remove_file(to);
    }
    copied
}

fn part_of(to: &Path) -> PathBuf {
    let mut name = to.as_os_str().to_owned();
    name.push(".part");
    name.into()
}

/// Makes an empty file for its owner only, where there is none.
fn claim(to: &Path) -> Result<(), BackupError> {
    let mut options = OpenOptions::new();
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    match options.write(true).create_new(true).open(to) {
        Ok(_) => Ok(()),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Err(BackupError::Exists {
            path: to.to_owned(),
        }),
        Err(error) => Err(BackupError::unwritable(to, error)),
    }
}

fn copy(from: &Path, part: &Path, to: &Path) -> Result<(), BackupError> {
    let unreadable = |error| BackupError::Unreadable(OpenError::sqlite(from, error));
    let source = readable(from).map_err(unreadable)?;
    // So that an unreadable database is not taken for an unwritable copy.
    let tables = "SELECT count(*) FROM sqlite_schema";
    source
        .query_row(tables, [], |row| row.get::<_, i64>(0))
        .map_err(unreadable)?;
    let _ = fs::remove_file(part);
    claim(part)?;
    let name = part
        .to_str()
        .ok_or_else(|| BackupError::unwritable(to, "the path is not UTF-8"))?;
    source
        .execute("VACUUM INTO ?1", [name])
        .map_err(|error| match Fault::from(error) {
            Fault::Sql(error) => BackupError::unwritable(to, error),
            Fault::Meta | Fault::Entries { .. } | Fault::Index(_) => {
                BackupError::Unreadable(OpenError::Damaged {
                    path: from.to_owned(),
                    what: "SQLite's own structure",
                })
            }
        })?;
    mark(part).map_err(|error| BackupError::unwritable(to, error))
}

/// Notes in the copy that it is one.
fn mark(copy: &Path) -> rusqlite::Result<()> {
    let db = Connection::open(copy)?;
    if !schema::is_there(&db)? {
        return Ok(());
    }
    match Meta::read(&db) {
        Ok(meta) => Meta {
            copied: true,
            ..meta
        }
        .write(&db),
        // A damaged row stays so: the copy is refused as the database would be.
        Err(Fault::Meta | Fault::Entries { .. } | Fault::Index(_)) => Ok(()),
        Err(Fault::Sql(error)) => Err(error),
    }
}

/// SQLite does not wait for the disk when it makes a copy.
fn publish(part: &Path, to: &Path) -> Result<(), BackupError> {
    let synced = File::open(part).and_then(|file| file.sync_all());
    let renamed = synced.and_then(|()| fs::rename(part, to));
    let folder = to
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty())
        .unwrap_or(Path::new("."));
    renamed
        .and_then(|()| File::open(folder)?.sync_all())
        .map_err(|error| BackupError::unwritable(to, error))
}

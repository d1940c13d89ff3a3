//! Copies of a database that are made while it is written.
//!
//! A copy is one moment of the database. It is marked as a copy: opened as a log it begins a new
//! epoch, so that clients that have seen more than it has are told to reload.

use std::{
    fs::{self, File, OpenOptions},
    io,
    path::{Path, PathBuf},
};

use rusqlite::Connection;

use super::{fault::SqliteFault, meta::Meta, schema};
use crate::sqlite::{OpenError, beside, readable};

/// The reason why no copy was made. Nothing is left of it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BackupError {
    /// A file of that name exists and is left alone.
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
        /// The error of the system or of SQLite.
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
    // The copy has another name until it is whole: a file of the final name is a whole backup, or
    // empty.
    let part = beside(to, ".part");
    let copied = copy(from, &part, to).and_then(|()| finish(&part, to));
    if copied.is_err() {
        let _ = fs::remove_file(&part);
        let _ = fs::remove_file(to);
    }
    copied
}

/// Creates an empty file that only its owner can read. Refuses an existing one.
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
    // Read once before the copy is written, so that an unreadable database is not reported as an
    // unwritable copy.
    let sql = "SELECT count(*) FROM sqlite_schema";
    source
        .query_row(sql, [], |row| row.get::<_, i64>(0))
        .map_err(unreadable)?;
    // Left over from an attempt that was interrupted.
    let _ = fs::remove_file(part);
    claim(part)?;
    let name = part
        .to_str()
        .ok_or_else(|| BackupError::unwritable(to, "the path is not UTF-8"))?;
    source
        .execute("VACUUM INTO ?1", [name])
        .map_err(|error| vacuum_failed(from, to, error))?;
    mark_as_copy(part).map_err(|error| BackupError::unwritable(to, error))
}

/// Tells damage of the database from a copy that cannot be written.
fn vacuum_failed(from: &Path, to: &Path, error: rusqlite::Error) -> BackupError {
    match SqliteFault::from(error) {
        SqliteFault::Sql(error) => BackupError::unwritable(to, error),
        SqliteFault::Meta | SqliteFault::Entries { .. } | SqliteFault::Index(_) => {
            BackupError::Unreadable(OpenError::Damaged {
                path: from.to_owned(),
                what: "SQLite's own structure",
            })
        }
    }
}

/// Marks the copy as one, if it has a log.
fn mark_as_copy(copy: &Path) -> rusqlite::Result<()> {
    let db = Connection::open(copy)?;
    if !schema::exists(&db)? {
        return Ok(());
    }
    match Meta::read(&db) {
        Ok(mut meta) => {
            meta.copied = true;
            meta.write(&db)
        }
        // A damaged row stays as it is: the copy is refused as the database would be.
        Err(SqliteFault::Meta | SqliteFault::Entries { .. } | SqliteFault::Index(_)) => Ok(()),
        Err(SqliteFault::Sql(error)) => Err(error),
    }
}

/// Brings the copy to the disk and gives it its final name: SQLite does not wait for the disk when
/// it makes a copy.
fn finish(part: &Path, to: &Path) -> Result<(), BackupError> {
    let folder = to
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty())
        .unwrap_or(Path::new("."));
    sync_and_rename(part, to, folder).map_err(|error| BackupError::unwritable(to, error))
}

fn sync_and_rename(part: &Path, to: &Path, folder: &Path) -> io::Result<()> {
    File::open(part)?.sync_all()?;
    fs::rename(part, to)?;
    // The new name is part of the folder, which has to reach the disk too.
    File::open(folder)?.sync_all()
}

//! The files of an open database, as they were when it was opened.
//!
//! A process goes on writing to a file that was deleted or replaced, and loses all of that at its
//! end. So the writer compares before each group of writes, and a reader before it opens a
//! connection: it would open another file.

use std::{
    ffi::OsString,
    fs, io,
    os::unix::fs::MetadataExt as _,
    path::{Path, PathBuf},
};

use rusqlite::ffi;

use super::error::sqlite_failure;

/// The database and its write-ahead log, each with the file that its path led to.
#[derive(Debug)]
pub(super) struct OpenFiles(Vec<(PathBuf, FileId)>);

/// The device and the number of a file.
type FileId = (u64, u64);

impl OpenFiles {
    /// Returns the files of a database that is open.
    pub(super) fn of(database: &Path) -> io::Result<Self> {
        let mut files = vec![(database.to_owned(), id(database)?)];
        // SQLite keeps it beside the target of a link. Without one, each write is in the database.
        let mut log = OsString::from(fs::canonicalize(database)?);
        log.push("-wal");
        let log = PathBuf::from(log);
        if let Ok(of_log) = id(&log) {
            files.push((log, of_log));
        }
        Ok(Self(files))
    }

    /// Checks that each path still leads to its file.
    ///
    /// # Errors
    /// Returns the error that SQLite has for it, `SQLITE_READONLY_DBMOVED`.
    pub(super) fn check(&self) -> rusqlite::Result<()> {
        let is_gone = |(path, file): &&(PathBuf, FileId)| match id(path) {
            Ok(found) => found != *file,
            // Of other errors nothing follows: SQLite finds out by itself whether it can write.
            Err(error) => error.kind() == io::ErrorKind::NotFound,
        };
        let Some((path, _)) = self.0.iter().find(is_gone) else {
            return Ok(());
        };
        let text = format!("{} was deleted or replaced", path.display());
        Err(sqlite_failure(ffi::SQLITE_READONLY_DBMOVED, &text))
    }

    /// Returns whether the database has a write-ahead log.
    pub(super) fn have_log(&self) -> bool {
        self.0.len() > 1
    }
}

fn id(path: &Path) -> io::Result<FileId> {
    let metadata = fs::metadata(path)?;
    Ok((metadata.dev(), metadata.ino()))
}

//! A write-ahead log that belongs to another file.
//!
//! Whoever restores a backup after a crash may leave the log of the file that was there before.
//! SQLite would replay it over the backup. A copy made by [`backup`](crate::log::sqlite::backup)
//! says in its header that it has no such log, so that one is put aside.

use std::{
    fs::{self, File},
    io::{self, Read as _},
    path::{Path, PathBuf},
};

use super::OpenError;

/// Where the header says how the file is written, and what it says there of files without a
/// write-ahead log.
const WRITE_VERSION: usize = 18;
const WITHOUT: u8 = 1;

pub(super) fn put_aside(database: &Path) -> Result<(), OpenError> {
    let log = beside(database, "-wal");
    let written = log.metadata().is_ok_and(|log| log.len() > 0);
    if !written || !says_without(database) {
        return Ok(());
    }
    let aside = beside(database, "-wal.stale");
    tracing::warn!(
        path = %aside.display(),
        "the database was replaced by a backup: the changes that were made after it are put aside"
    );
    remove(&beside(database, "-shm"))
        .and_then(|()| fs::rename(&log, &aside))
        .map_err(|source| OpenError::io(log, source))
}

fn says_without(database: &Path) -> bool {
    let mut header = [0; WRITE_VERSION + 1];
    let read = File::open(database).and_then(|mut file| file.read_exact(&mut header));
    read.is_ok() && header[WRITE_VERSION] == WITHOUT
}

fn remove(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

fn beside(database: &Path, end: &str) -> PathBuf {
    let mut name = database.as_os_str().to_owned();
    name.push(end);
    name.into()
}

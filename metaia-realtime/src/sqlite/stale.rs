//! A write-ahead log that belongs to another file.
//!
//! After a crash, an operator who restores a backup may leave the write-ahead log of the former
//! file in place. SQLite would replay it over the backup. A copy made by
//! [`backup`](crate::log::sqlite::backup) says in its header that it has no write-ahead log, so one
//! that lies beside it is set aside.

use std::{
    fs::{self, File},
    io::{self, Read as _},
    path::Path,
};

use super::{OpenError, beside};

/// The offset of the file format write version in the header of a SQLite file.
const WRITE_VERSION_OFFSET: usize = 18;

/// The write version of a file without a write-ahead log.
const WITHOUT_WAL: u8 = 1;

/// Renames the write-ahead log beside the database if the database says that it has none.
pub(super) fn set_aside(database: &Path) -> Result<(), OpenError> {
    let log = beside(database, "-wal");
    let has_content = log.metadata().is_ok_and(|log| log.len() > 0);
    if !has_content || !says_without_wal(database) {
        return Ok(());
    }
    let aside = beside(database, "-wal.stale");
    tracing::warn!(
        path = %aside.display(),
        "the database was replaced by a backup: the changes that were made after it are set aside"
    );
    remove(&beside(database, "-shm"))
        .and_then(|()| fs::rename(&log, &aside))
        .map_err(|source| OpenError::io(log, source))
}

fn says_without_wal(database: &Path) -> bool {
    let mut header = [0; WRITE_VERSION_OFFSET + 1];
    let read = File::open(database).and_then(|mut file| file.read_exact(&mut header));
    read.is_ok() && header[WRITE_VERSION_OFFSET] == WITHOUT_WAL
}

fn remove(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

//! One process per database: an advisory lock on a file beside it.
//!
//! SQLite itself would let a second process write, and that one's commits would be missing from the
//! first one's memory.

use std::{
    fs::{File, OpenOptions, TryLockError},
    path::{Path, PathBuf},
    thread,
    time::Duration,
};

use super::OpenError;

/// Whoever has it may be about to end: a process that was told to, or the thread of a dropped
/// [`Writer`](super::Writer).
const TRIES: u32 = 100;
const PAUSE: Duration = Duration::from_millis(20);

/// Held until dropped. The file stays: removing it would let two processes lock two files of one
/// name.
#[derive(Debug)]
pub(super) struct Lock {
    _file: File,
}

impl Lock {
    /// Waits up to two seconds for somebody who is about to leave.
    pub(super) fn take(database: &Path) -> Result<Self, OpenError> {
        let path = lock_path(database);
        let mut options = OpenOptions::new();
        let file = options.create(true).truncate(false).write(true).open(&path);
        let file = file.map_err(|source| OpenError::io(&path, source))?;
        for _ in 0..TRIES {
            match file.try_lock() {
                Ok(()) => return Ok(Self { _file: file }),
                Err(TryLockError::WouldBlock) => thread::sleep(PAUSE),
                Err(TryLockError::Error(source)) => return Err(OpenError::io(path, source)),
            }
        }
        Err(OpenError::Locked {
            path: database.to_owned(),
        })
    }
}

fn lock_path(database: &Path) -> PathBuf {
    let mut name = database.as_os_str().to_owned();
    name.push(".lock");
    name.into()
}

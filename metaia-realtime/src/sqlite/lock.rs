//! One process per database: an advisory lock on a file beside it.
//!
//! SQLite itself would let a second process write, and the commits of that process would be missing
//! from the memory of the first.

use std::{
    fs::{File, OpenOptions, TryLockError},
    path::Path,
    thread,
    time::Duration,
};

use super::{OpenError, beside};

/// Attempts to take the lock, 2 s in all. The holder may be about to end: a process that was told
/// to stop, or the thread of a dropped [`Writer`](super::Writer).
const MAX_ATTEMPTS: u32 = 100;
const RETRY_PAUSE: Duration = Duration::from_millis(20);

/// A lock that is held until it is dropped. The file stays: removing it would let two processes
/// lock two files of one name.
#[derive(Debug)]
pub(super) struct Lock {
    _file: File,
}

impl Lock {
    /// Takes the lock, and waits up to 2 s for another holder to release it.
    pub(super) fn take(database: &Path) -> Result<Self, OpenError> {
        let path = beside(database, ".lock");
        let mut options = OpenOptions::new();
        let file = options.create(true).truncate(false).write(true).open(&path);
        let file = file.map_err(|source| OpenError::io(&path, source))?;
        for _ in 0..MAX_ATTEMPTS {
            match file.try_lock() {
                Ok(()) => return Ok(Self { _file: file }),
                Err(TryLockError::WouldBlock) => thread::sleep(RETRY_PAUSE),
                Err(TryLockError::Error(source)) => return Err(OpenError::io(path, source)),
            }
        }
        Err(OpenError::Locked {
            path: database.to_owned(),
        })
    }
}

//! The lock of `contexts.toml`: one command at a time reads, changes and writes the file.
//!
//! The file itself is replaced by each change, so the lock is on one beside it, which stays. It is
//! released when its holder ends, however it ends.

use std::fs::{DirBuilder, File, OpenOptions, TryLockError};
use std::io;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;
use std::thread::sleep;
use std::time::{Duration, Instant};

use super::folder;
use crate::exit::{Exit, Failure};

/// The time to wait for another command, which may have been stopped, and the time between two
/// attempts.
const LOCK_TIMEOUT: Duration = Duration::from_secs(10);
const LOCK_PAUSE: Duration = Duration::from_millis(5);

/// The lock of a file of contexts, until it is dropped.
#[derive(Debug)]
pub(super) struct ChangesLock {
    /// Closing it releases the lock.
    _file: File,
}

impl ChangesLock {
    /// Waits until no other command changes the file of this path.
    ///
    /// # Errors
    /// A failure if the file of the lock cannot be opened, or another command holds the lock for
    /// 10 s (`LOCK_TIMEOUT`).
    pub(super) fn take(contexts: &Path) -> Result<Self, Failure> {
        let path = contexts.with_extension("lock");
        let shown = folder::shown(&path);
        let file = opened(&path).map_err(|error| {
            let text = format!("{} cannot be written", folder::shown(contexts));
            let failure = Failure::new(Exit::Failed, text).caused_by(error);
            failure.hint(format!("its lock is {shown}"))
        })?;
        let until = Instant::now() + LOCK_TIMEOUT;
        while let Err(TryLockError::WouldBlock) = file.try_lock() {
            if Instant::now() >= until {
                return Err(held(&shown));
            }
            sleep(LOCK_PAUSE);
        }
        // A file system without locks is used without one.
        Ok(Self { _file: file })
    }
}

fn opened(path: &Path) -> io::Result<File> {
    if let Some(folder) = path.parent() {
        DirBuilder::new().recursive(true).create(folder)?;
    }
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(false);
    options.mode(0o600).open(path)
}

fn held(shown: &str) -> Failure {
    let limit = LOCK_TIMEOUT.as_secs();
    let text = format!("another command has held {shown} for {limit} s; nothing was changed");
    Failure::new(Exit::TimedOut, text)
        .hint("end the other `metaia context add`, `use` or `rm`, and try again")
}

//! The thread that owns the connection, and the closed set of its commands.
//!
//! The thread ends when it receives [`WriterCommand::Close`] or when the last handle is dropped,
//! after it has done what was queued before.

use std::{
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicI32, AtomicU64, Ordering::Relaxed},
    },
    time::Instant,
};

use rusqlite::{Connection, ErrorCode, TransactionBehavior, ffi, hooks::Wal};
use tokio::sync::mpsc;

use super::{
    beside,
    error::sqlite_failure,
    job::{CommitFailure, WriterJob},
    lock::Lock,
    obstacle::{CurrentObstacle, FailedWrites, WriteObstacle},
    open_files::OpenFiles,
};
use crate::{
    crash_points,
    failure_log::FailureLog,
    planted_faults::{Fault, planted},
};

/// Pages in the write-ahead log from which on they are moved into the database: 4 MiB.
const CHECKPOINT_PAGES: i32 = 1_000;

pub(super) enum WriterCommand {
    Write(Box<dyn WriterJob>),
    /// Do what is queued, then end.
    Close,
}

pub(super) struct WriterWorker {
    pub(super) path: PathBuf,
    pub(super) connection: Connection,
    pub(super) commands: mpsc::Receiver<WriterCommand>,
    /// Most writes in one transaction.
    pub(super) group: usize,
    pub(super) commits: Arc<AtomicU64>,
    pub(super) obstacle: Arc<CurrentObstacle>,
    pub(super) failed: FailedWrites,
    pub(super) checkpoints: FailureLog,
    pub(super) log: Arc<WriteAheadLog>,
    pub(super) files: Arc<OpenFiles>,
    /// Dropped last: the next process may open the database once the connection is closed.
    pub(super) lock: Lock,
}

/// The write-ahead log, as its hook reports it.
#[derive(Debug, Default)]
pub(super) struct WriteAheadLog {
    /// Pages in it after the last commit.
    pages: AtomicI32,
    /// True if a commit has written to it since the last look.
    was_written: AtomicBool,
}

impl WriterWorker {
    pub(super) fn run(mut self) {
        while let Some(first) = self.commands.blocking_recv() {
            let group = self.take_group(first);
            self.write(group);
            self.checkpoint();
        }
        self.close();
    }

    /// Returns the queued writes, up to the size of a group.
    fn take_group(&mut self, first: WriterCommand) -> Vec<Box<dyn WriterJob>> {
        let mut jobs = Vec::new();
        let mut next = Some(first);
        while let Some(command) = next {
            match command {
                WriterCommand::Write(job) => jobs.push(job),
                // Earlier commands are still received; `blocking_recv` returns `None` after them.
                WriterCommand::Close => self.commands.close(),
            }
            if jobs.len() >= self.group {
                break;
            }
            next = self.commands.try_recv().ok();
        }
        jobs
    }

    /// Writes the jobs in as few transactions as possible: one, unless SQLite itself rolls one
    /// back.
    fn write(&mut self, jobs: Vec<Box<dyn WriterJob>>) {
        let mut rest = jobs.into_iter();
        while rest.len() > 0 {
            let (done, failure) = self.transaction(&mut rest);
            match &failure {
                Some(failure) => self.note_failure(failure.cause(), done.len()),
                None => self.note_success(),
            }
            for job in done {
                job.reply(failure.as_ref().map(CommitFailure::copy));
            }
        }
    }

    /// Records and logs that a group was not committed.
    fn note_failure(&mut self, error: &rusqlite::Error, writes: usize) {
        let Some(obstacle) = WriteObstacle::of(error) else {
            tracing::error!(%error, writes, "a group of writes was not committed");
            return;
        };
        self.obstacle.set(Some(obstacle));
        if let Some(writes) = self.failed.failed(obstacle, writes, Instant::now()) {
            let code = obstacle.code();
            let path = self.path.display();
            tracing::error!(
                code, %path, %error, writes,
                "the database cannot be written: {obstacle}"
            );
        }
    }

    /// Records and logs that the database can be written. A group that had nothing to write does
    /// not show that, except that the files are in their places.
    fn note_success(&mut self) {
        let Some(obstacle) = self.obstacle.get() else {
            return;
        };
        let has_written = self.log.was_written.load(Relaxed) || !self.files.have_log();
        if !has_written && obstacle != WriteObstacle::FileGone {
            return;
        }
        self.obstacle.set(None);
        if self.failed.worked() {
            let path = self.path.display();
            tracing::info!(%path, "the database can be written again");
        }
    }

    /// Runs jobs in one transaction until there are none left or SQLite has ended it. Returns the
    /// jobs that were run.
    fn transaction(
        &mut self,
        jobs: &mut impl Iterator<Item = Box<dyn WriterJob>>,
    ) -> (Vec<Box<dyn WriterJob>>, Option<CommitFailure>) {
        crash_points::point("before-transaction");
        if let Err(cause) = self.files.check() {
            return (jobs.collect(), Some(CommitFailure::RolledBack(cause)));
        }
        self.log.was_written.store(false, Relaxed);
        let mut done = Vec::new();
        let begun = self
            .connection
            .transaction_with_behavior(TransactionBehavior::Immediate);
        let mut group = match begun {
            Ok(group) => group,
            Err(cause) => return (jobs.collect(), Some(CommitFailure::RolledBack(cause))),
        };
        for mut job in jobs {
            job.run(&mut group);
            done.push(job);
            // A full disk or an I/O error rolls back everything, not only the savepoint.
            if group.is_autocommit() {
                return (done, Some(CommitFailure::by_sqlite()));
            }
        }
        crash_points::point("in-transaction");
        if planted(Fault::DiskFull) && beside(&self.path, ".full").exists() {
            return (done, Some(CommitFailure::by_full_disk()));
        }
        let failure = group.commit().err().map(CommitFailure::from_commit);
        if failure.is_none() {
            crash_points::point("after-commit");
            self.commits.fetch_add(1, Relaxed);
        }
        (done, failure)
    }

    /// Moves the write-ahead log into the database if it is large. Runs after the replies, and not
    /// within the commit as SQLite would do it by itself, so that no caller waits for it.
    fn checkpoint(&mut self) {
        if self.log.pages.load(Relaxed) < CHECKPOINT_PAGES {
            return;
        }
        crash_points::point("checkpoint");
        self.log.pages.store(0, Relaxed);
        match move_pages(&self.connection, "PASSIVE") {
            Ok(()) => self.checkpoints.worked(|| {
                tracing::info!("the write-ahead log is moved into the database again");
            }),
            Err(error) => self.checkpoints.failed(|| {
                tracing::warn!(
                    %error,
                    "the write-ahead log was not moved into the database; trying again later"
                );
            }),
        }
    }

    fn close(self) {
        let Self {
            connection, lock, ..
        } = self;
        crash_points::point("checkpoint");
        if let Err(error) = move_pages(&connection, "TRUNCATE") {
            // Nothing is lost: the next start reads the write-ahead log.
            tracing::warn!(%error, "the database was closed without a checkpoint");
        }
        if let Err((_, error)) = connection.close() {
            tracing::warn!(%error, "the database was not closed cleanly");
        }
        drop(lock);
    }
}

/// Watches the write-ahead log from now on. With the hook in place SQLite does not move its pages
/// by itself: [`WriterWorker::checkpoint`] does.
pub(super) fn watch_log(connection: &mut Connection) -> rusqlite::Result<Arc<WriteAheadLog>> {
    let log = Arc::new(WriteAheadLog::default());
    let watched = Arc::clone(&log);
    connection.wal_hook(Some(move |_: &mut Wal, pages| {
        watched.pages.store(pages, Relaxed);
        watched.was_written.store(true, Relaxed);
        Ok(())
    }))?;
    Ok(log)
}

fn move_pages(connection: &Connection, mode: &str) -> rusqlite::Result<()> {
    connection.query_row(&format!("PRAGMA wal_checkpoint({mode})"), [], |_| Ok(()))
}

impl CommitFailure {
    /// Returns the failure of a transaction that SQLite itself rolled back.
    fn by_sqlite() -> Self {
        Self::RolledBack(sqlite_failure(
            ffi::SQLITE_ABORT_ROLLBACK,
            "SQLite rolled the transaction back",
        ))
    }

    /// Returns the failure of a commit on a full disk, for the planted fault.
    fn by_full_disk() -> Self {
        Self::RolledBack(sqlite_failure(ffi::SQLITE_FULL, "database or disk is full"))
    }

    /// Returns the failure of a commit. After a failed `fsync` the commit may be in the file all
    /// the same, and the next start would find it.
    fn from_commit(cause: rusqlite::Error) -> Self {
        match cause.sqlite_error_code() {
            Some(ErrorCode::SystemIoFailure) => Self::Unknown(cause),
            _ => Self::RolledBack(cause),
        }
    }

    const fn cause(&self) -> &rusqlite::Error {
        match self {
            Self::RolledBack(cause) | Self::Unknown(cause) => cause,
        }
    }

    /// Copies the failure for each write of a group. SQLite's errors cannot be cloned; their code
    /// and text can be copied.
    fn copy(&self) -> Self {
        let copied = |cause: &rusqlite::Error| {
            let code = cause
                .sqlite_error()
                .map_or(ffi::SQLITE_ERROR, |error| error.extended_code);
            sqlite_failure(code, &cause.to_string())
        };
        match self {
            Self::RolledBack(cause) => Self::RolledBack(copied(cause)),
            Self::Unknown(cause) => Self::Unknown(copied(cause)),
        }
    }
}

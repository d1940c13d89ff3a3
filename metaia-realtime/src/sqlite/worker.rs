//! The thread that owns the connection, and the closed set of what it can be asked.
//!
//! It ends when it is told to close or when the last handle is gone, after doing what was queued
//! before.

use std::{
    ffi::c_int,
    sync::{
        Arc,
        atomic::{AtomicI32, AtomicU64, Ordering::Relaxed},
    },
};

use rusqlite::{Connection, ErrorCode, TransactionBehavior, ffi, hooks::Wal};
use tokio::sync::mpsc;

use super::{
    job::{Failure, Job},
    lock::Lock,
};
use crate::crash_points;

/// So many pages in the write-ahead log are moved into the database: 4 MiB.
const PAGES: i32 = 1_000;

pub(super) enum Command {
    Write(Box<dyn Job>),
    /// Do what is queued, then end.
    Close,
}

pub(super) struct Worker {
    pub(super) connection: Connection,
    pub(super) commands: mpsc::Receiver<Command>,
    pub(super) group: usize,
    pub(super) commits: Arc<AtomicU64>,
    /// Pages in the write-ahead log after the last commit.
    pub(super) pages: Arc<AtomicI32>,
    /// Dropped last: the next process may come in when the connection is closed.
    pub(super) lock: Lock,
}

impl Worker {
    pub(super) fn run(mut self) {
        while let Some(first) = self.commands.blocking_recv() {
            self.take_group(first);
            self.checkpoint();
        }
        self.close();
    }

    fn take_group(&mut self, first: Command) {
        let mut jobs = Vec::new();
        let mut next = Some(first);
        while let Some(command) = next {
            match command {
                Command::Write(job) => jobs.push(job),
                // Everything sent before is still received; `blocking_recv` then answers `None`.
                Command::Close => self.commands.close(),
            }
            next = if jobs.len() < self.group {
                self.commands.try_recv().ok()
            } else {
                None
            };
        }
        self.write(jobs);
    }

    /// Writes the jobs in as few transactions as possible: one, unless SQLite itself rolls one
    /// back.
    fn write(&mut self, jobs: Vec<Box<dyn Job>>) {
        let mut rest = jobs.into_iter();
        while rest.len() > 0 {
            let (done, failure) = self.transaction(&mut rest);
            if let Some(failure) = &failure {
                tracing::error!(
                    ?failure,
                    writes = done.len(),
                    "a group of writes was not committed"
                );
            }
            for job in done {
                job.answer(failure.as_ref().map(Failure::copy));
            }
        }
    }

    /// Runs jobs in one transaction until there are none left or SQLite has ended it. Answers those
    /// it ran.
    fn transaction(
        &mut self,
        jobs: &mut impl Iterator<Item = Box<dyn Job>>,
    ) -> (Vec<Box<dyn Job>>, Option<Failure>) {
        crash_points::point("before-transaction");
        let mut done = Vec::new();
        let begun = self
            .connection
            .transaction_with_behavior(TransactionBehavior::Immediate);
        let mut group = match begun {
            Ok(group) => group,
            Err(cause) => return (jobs.collect(), Some(Failure::RolledBack(cause))),
        };
        for mut job in jobs {
            job.run(&mut group);
            done.push(job);
            // A full disk or an I/O error rolls back everything, not only the savepoint.
            if group.is_autocommit() {
                return (done, Some(Failure::rolled_back()));
            }
        }
        crash_points::point("in-transaction");
        let failure = group.commit().err().map(Failure::of_commit);
        if failure.is_none() {
            crash_points::point("after-commit");
            self.commits.fetch_add(1, Relaxed);
        }
        (done, failure)
    }

    /// After the answers, and not within the commit as SQLite would do it by itself: nobody waits
    /// for this one.
    fn checkpoint(&self) {
        if self.pages.load(Relaxed) < PAGES {
            return;
        }
        crash_points::point("checkpoint");
        self.pages.store(0, Relaxed);
        if let Err(error) = move_pages(&self.connection, "PASSIVE") {
            tracing::warn!(%error, "the write-ahead log was not moved into the database; trying again later");
        }
    }

    fn close(self) {
        let Self {
            connection, lock, ..
        } = self;
        crash_points::point("checkpoint");
        if let Err(error) = move_pages(&connection, "TRUNCATE") {
            // Not a loss: the next start reads the log file.
            tracing::warn!(%error, "the database was closed without a checkpoint");
        }
        if let Err((_, error)) = connection.close() {
            tracing::warn!(%error, "the database was not closed cleanly");
        }
        drop(lock);
    }
}

/// Counts the pages in the write-ahead log. SQLite then leaves it to us to move them.
pub(super) fn count_pages(connection: &mut Connection) -> rusqlite::Result<Arc<AtomicI32>> {
    let pages = Arc::new(AtomicI32::new(0));
    let counted = Arc::clone(&pages);
    connection.wal_hook(Some(move |_: &mut Wal, pages| {
        counted.store(pages, Relaxed);
        Ok(())
    }))?;
    Ok(pages)
}

fn move_pages(connection: &Connection, mode: &str) -> rusqlite::Result<()> {
    connection.query_row(&format!("PRAGMA wal_checkpoint({mode})"), [], |_| Ok(()))
}

impl Failure {
    fn rolled_back() -> Self {
        Self::RolledBack(failure(
            ffi::SQLITE_ABORT_ROLLBACK,
            "SQLite rolled the transaction back",
        ))
    }

    /// After a failed `fsync` the commit may be in the file all the same, where the next start
    /// would find it.
    fn of_commit(cause: rusqlite::Error) -> Self {
        match cause.sqlite_error_code() {
            Some(ErrorCode::SystemIoFailure) => Self::Unknown(cause),
            _ => Self::RolledBack(cause),
        }
    }

    /// One failure for many: SQLite's errors cannot be cloned, their code and text can.
    fn copy(&self) -> Self {
        let copied = |cause: &rusqlite::Error| {
            let code = cause
                .sqlite_error()
                .map_or(ffi::SQLITE_ERROR, |error| error.extended_code);
            failure(code, &cause.to_string())
        };
        match self {
            Self::RolledBack(cause) => Self::RolledBack(copied(cause)),
            Self::Unknown(cause) => Self::Unknown(copied(cause)),
        }
    }
}

/// An error of SQLite with our words.
pub(super) fn failure(code: c_int, text: &str) -> rusqlite::Error {
    rusqlite::Error::SqliteFailure(ffi::Error::new(code), Some(text.to_owned()))
}

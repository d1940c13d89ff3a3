//! Writing: one committer per node collects the changes that wait into batches, and stores each
//! batch as a whole.

// The task of a committer, the jobs it takes, and its tries to store them.
mod attempt;
mod caller;
mod job;
mod try_commit;
mod try_error;
mod worker;

// A planned batch, and the point after which it may be stored.
mod batch;
mod commit_point;

// Storing a batch: as a transaction, or through the head of a standalone server.
mod command;
mod driver_error;
mod known_entries;
mod standalone;
mod transaction;

// Other committers that hold the head.
mod contention;

use std::{fmt, sync::Arc};

use futures_util::future::BoxFuture;
use tokio::sync::mpsc;
use tokio_util::sync::DropGuard;

use super::{
    fault::MongoFault,
    log::{Appender, RunningLog},
    records::{RecordChange, Records},
};
use crate::{NewEntry, Position, log::LogError};
use caller::WaitingCaller;
use job::CommitJob;
use worker::CommitWorker;

/// The most jobs that may wait. A further one is refused with [`LogError::Unavailable`].
const MAX_WAITING: usize = 4_000;

/// Changes records and appends the events about the change, in one transaction.
///
/// Concurrent calls share transactions: a committer writes one batch after the other, in the order
/// of the calls of [`commit`](Self::commit) on all clones. Batches of other nodes may come between
/// them.
///
/// A handle: `clone` is cheap and shares the committer. The committer ends when the last handle and
/// the last [`MongoLog`](super::MongoLog) that it belongs to are dropped, or with
/// [`MongoLog::close`](super::MongoLog::close).
pub struct Committer<R: Records> {
    queue: mpsc::Sender<CommitJob<R>>,
    _dropped: Arc<DropGuard>,
}

impl<R: Records> Committer<R> {
    /// Starts the committer of a log, among the log's tasks.
    pub(super) fn start(log: &RunningLog, records: R) -> Self {
        let (queue, waiting) = mpsc::channel(MAX_WAITING);
        let worker = CommitWorker::new(&log.state, records, waiting);
        log.tasks.spawn(worker.run(log.closing.clone()));
        Self {
            queue,
            _dropped: Arc::clone(&log.dropped),
        }
    }

    /// Makes a change and returns the result that the change has planned. Waits for at most 4.5 s.
    ///
    /// # Errors
    /// Returns [`LogError::Unavailable`] if nothing was stored and nothing will be, and
    /// [`LogError::Unknown`] if the change may have been stored or may be stored later.
    ///
    /// # Cancel safety
    /// Dropping the future leaves the outcome open: all of the change is stored, or nothing.
    pub async fn commit<C: RecordChange<R>>(&self, change: C) -> Result<C::Done, LogError> {
        self.submit(CommitJob::change(change)).await
    }

    async fn submit<T>(&self, job: (CommitJob<R>, WaitingCaller<T>)) -> Result<T, LogError> {
        let (job, caller) = job;
        self.queue.try_send(job).map_err(|error| match error {
            mpsc::error::TrySendError::Full(_) => MongoFault::QueueFull.unavailable(),
            mpsc::error::TrySendError::Closed(_) => MongoFault::Closed.unavailable(),
        })?;
        caller.wait().await
    }
}

impl<R: Records> Clone for Committer<R> {
    fn clone(&self) -> Self {
        Self {
            queue: self.queue.clone(),
            _dropped: Arc::clone(&self._dropped),
        }
    }
}

impl<R: Records> fmt::Debug for Committer<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let waiting = self.queue.max_capacity() - self.queue.capacity();
        f.debug_struct("Committer")
            .field("waiting", &waiting)
            .finish_non_exhaustive()
    }
}

impl<R: Records> Appender for Committer<R> {
    fn append(&self, entries: Vec<NewEntry>) -> BoxFuture<'_, Result<Vec<Position>, LogError>> {
        Box::pin(self.submit(CommitJob::append(entries)))
    }
}

//! Writing: one committer per node collects the changes that wait into batches, and stores each
//! batch as a whole.

// The task of a committer, the jobs it takes, and one try to store them.
mod job;
mod open_jobs;
mod try_commit;
mod try_error;
mod worker;

// A planned batch, and the point after which it may be stored.
mod batch;
mod commit_point;

// Storing a batch: as a transaction, or through the head of a standalone server.
mod command;
mod driver_error;
mod standalone;
mod transaction;

// Other committers that hold the head.
mod contention;

use std::{fmt, sync::Arc, time::Duration};

use futures_util::future::BoxFuture;
use tokio::sync::mpsc;
use tokio_util::sync::DropGuard;

use super::{
    fault::MongoFault,
    log::{Appender, RunningLog},
    records::Records,
};
use crate::{NewEntry, Position, log::LogError};
use job::{CommitJob, JobRequest, JobResult, ResultReceiver};
use worker::CommitWorker;

/// The most jobs that may wait. A further one is refused with [`LogError::Unavailable`].
const MAX_WAITING: usize = 4_000;

/// The time that a caller waits for its job.
const CALLER_TIMEOUT: Duration = Duration::from_millis(4_500);

/// Never returned: a batch gives each job a result of the kind that it requests.
const WRONG_KIND: MongoFault =
    MongoFault::Impossible("the result of a job is not of the kind that it requests");

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
    queue: mpsc::Sender<Arc<CommitJob<R>>>,
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

    /// Makes a change and returns the result that the [`Records`] have planned for it. Waits for at
    /// most 4.5 s (`CALLER_TIMEOUT`).
    ///
    /// # Errors
    /// Returns [`LogError::Unavailable`] if nothing was stored and nothing will be, and
    /// [`LogError::Unknown`] if the change may have been stored or may be stored later.
    ///
    /// # Cancel safety
    /// Dropping the future leaves the outcome open: all of the change is stored, or nothing.
    pub async fn commit(&self, change: R::Change) -> Result<R::Done, LogError> {
        let request = JobRequest::Change(Arc::new(change));
        match self.submit(request).await? {
            JobResult::Done(done) => Ok(done),
            JobResult::Positions(_) => Err(WRONG_KIND.unknown()),
        }
    }

    async fn submit(&self, request: JobRequest<R::Change>) -> Result<JobResult<R::Done>, LogError> {
        let (job, result) = CommitJob::new(request);
        self.queue
            .try_send(Arc::clone(&job))
            .map_err(|error| match error {
                mpsc::error::TrySendError::Full(_) => MongoFault::QueueFull.unavailable(),
                mpsc::error::TrySendError::Closed(_) => MongoFault::Closed.unavailable(),
            })?;
        wait(&job, result).await
    }
}

async fn wait<R: Records>(
    job: &CommitJob<R>,
    result: ResultReceiver<R::Done>,
) -> Result<JobResult<R::Done>, LogError> {
    match tokio::time::timeout(CALLER_TIMEOUT, result).await {
        Ok(Ok(result)) => result,
        Ok(Err(_)) => Err(job.abandon(MongoFault::Closed)),
        Err(_) => Err(job.abandon(MongoFault::TimedOut)),
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
        Box::pin(async move {
            match self.submit(JobRequest::Append(entries)).await? {
                JobResult::Positions(positions) => Ok(positions),
                JobResult::Done(_) => Err(WRONG_KIND.unknown()),
            }
        })
    }
}

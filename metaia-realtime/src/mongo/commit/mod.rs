//! Writing: one committer per node puts what is waiting into batches, and has each written as a
//! whole.

mod batch;
mod commit_point;
mod contention;
mod job;
mod outcome;
mod standalone;
mod transaction;
mod worker;
mod writes;

use std::{fmt, sync::Arc, time::Duration};

use futures_util::future::BoxFuture;
use tokio::sync::mpsc;
use tokio_util::{
    sync::{CancellationToken, DropGuard},
    task::TaskTracker,
};

pub(super) use batch::{Numbering, Standing};
pub(super) use standalone::{Pending, carry_out};

use super::{Records, fault::Fault, log::state::Shared};
use crate::{NewEntry, Position, log::LogError};
use job::{Answer, Answered, Ask, Job};
use worker::Worker;

/// Most changes that wait. One more is answered [`LogError::Unavailable`].
const WAITING: usize = 4_000;

/// How long a caller waits.
const PATIENCE: Duration = Duration::from_millis(4_500);

/// Changes records, and appends the events that tell of it, in one transaction.
///
/// What is asked for at the same time, of all clones of a handle, shares transactions: the batches
/// of one committer come one after the other, in the order in which [`commit`](Self::commit) was
/// called. Batches of other nodes come between them.
///
/// A handle: `clone` is cheap and shares the committer. It ends when the last handle and the last
/// [`MongoLog`](super::MongoLog) of its kind are dropped, or with
/// [`MongoLog::close`](super::MongoLog::close).
pub struct Committer<R: Records> {
    queue: mpsc::Sender<Arc<Job<R>>>,
    _dropped: Arc<DropGuard>,
}

impl<R: Records> Committer<R> {
    pub(super) fn start(
        log: &Arc<Shared>,
        records: R,
        tasks: &TaskTracker,
        closing: &CancellationToken,
        dropped: &Arc<DropGuard>,
    ) -> Self {
        let (queue, waiting) = mpsc::channel(WAITING);
        tasks.spawn(Worker::new(log, records, waiting).run(closing.clone()));
        Self {
            queue,
            _dropped: Arc::clone(dropped),
        }
    }

    /// Makes the change, and answers what the [`Records`] answer. It takes 5 s at the most.
    ///
    /// # Errors
    /// [`LogError::Unavailable`]: nothing was stored, nor will be. [`LogError::Unknown`]: it may
    /// have been, or may yet be.
    ///
    /// # Cancel safety
    /// Dropping the future leaves the outcome open: all of the change is stored, or nothing.
    pub async fn commit(&self, change: R::Change) -> Result<R::Done, LogError> {
        match self.ask(Ask::Change(Arc::new(change))).await? {
            Answer::Done(done) => Ok(done),
            Answer::Positions(_) => Err(Fault::Ended.unknown()),
        }
    }

    async fn ask(&self, ask: Ask<R::Change>) -> Result<Answer<R::Done>, LogError> {
        let (job, answered) = Job::new(ask);
        let refused = |error| match error {
            mpsc::error::TrySendError::Full(_) => Fault::Full.unavailable(),
            mpsc::error::TrySendError::Closed(_) => Fault::Closed.unavailable(),
        };
        self.queue.try_send(Arc::clone(&job)).map_err(refused)?;
        wait(&job, answered).await
    }
}

async fn wait<R: Records>(
    job: &Job<R>,
    answered: Answered<R::Done>,
) -> Result<Answer<R::Done>, LogError> {
    match tokio::time::timeout(PATIENCE, answered).await {
        Ok(Ok(answer)) => answer,
        Ok(Err(_)) => Err(job.give_up(Fault::Closed)),
        Err(_) => Err(job.give_up(Fault::Late)),
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

/// Appends, whatever the records are.
pub(super) trait Append: Send + Sync {
    fn append(&self, entries: Vec<NewEntry>) -> BoxFuture<'_, Result<Vec<Position>, LogError>>;
}

impl<R: Records> Append for Committer<R> {
    fn append(&self, entries: Vec<NewEntry>) -> BoxFuture<'_, Result<Vec<Position>, LogError>> {
        Box::pin(async move {
            match self.ask(Ask::Append(entries)).await? {
                Answer::Positions(positions) => Ok(positions),
                Answer::Done(_) => Err(Fault::Ended.unknown()),
            }
        })
    }
}

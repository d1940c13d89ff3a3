//! One write, with its types erased so that writes of all kinds share a queue.

use std::panic::{AssertUnwindSafe, catch_unwind};

use rusqlite::{Savepoint, Transaction};
use tokio::sync::oneshot;

use super::WriteError;

/// The result of one write, as its caller receives it.
pub(super) type WriteResult<T, E> = Result<T, WriteError<E>>;

/// A write in the queue. The thread calls [`run`](WriterJob::run) first and, once the group is
/// committed or has failed, [`reply`](WriterJob::reply).
pub(super) trait WriterJob: Send {
    /// Does the write inside a savepoint of its own. A failure is kept for the reply.
    fn run(&mut self, group: &mut Transaction<'_>);

    /// Sends the result to the caller. `failure` is the reason if the group was not committed.
    fn reply(self: Box<Self>, failure: Option<CommitFailure>);
}

/// The reason why a group was not committed.
#[derive(Debug)]
pub(super) enum CommitFailure {
    /// The group was rolled back.
    RolledBack(rusqlite::Error),
    /// The last bytes of the group may or may not have reached the disk.
    Unknown(rusqlite::Error),
}

/// The closures of one write, and the channel that its result goes to.
pub(super) struct WriteJob<F, A, T, E> {
    /// Taken by `run`.
    work: Option<F>,
    after: A,
    result: WriteResult<T, E>,
    reply: oneshot::Sender<WriteResult<T, E>>,
}

impl<F, A, T, E> WriteJob<F, A, T, E> {
    pub(super) fn new(work: F, after: A, reply: oneshot::Sender<WriteResult<T, E>>) -> Self {
        Self {
            work: Some(work),
            after,
            result: Err(WriteError::Closed),
            reply,
        }
    }
}

impl<F, A, T, E> WriterJob for WriteJob<F, A, T, E>
where
    F: FnOnce(&Savepoint<'_>) -> Result<T, E> + Send,
    A: FnOnce(&T) + Send,
    T: Send,
    E: Send,
{
    fn run(&mut self, group: &mut Transaction<'_>) {
        if let Some(work) = self.work.take() {
            self.result = run_in_savepoint(group, work);
        }
    }

    fn reply(self: Box<Self>, failure: Option<CommitFailure>) {
        let Self {
            work,
            after,
            mut result,
            reply,
        } = *self;
        let was_run = work.is_none();
        // A write that had failed by itself keeps its own error, which says more.
        if let Some(failure) = failure
            && (result.is_ok() || !was_run)
        {
            result = Err(failure.into());
        }
        if let Ok(value) = &result {
            let followed = catch_unwind(AssertUnwindSafe(|| after(value)));
            if followed.is_err() {
                tracing::error!("the closure after a commit panicked; the commit stands");
            }
        }
        // An error means that the caller dropped the future.
        let _ = reply.send(result);
    }
}

fn run_in_savepoint<T, E>(
    group: &mut Transaction<'_>,
    work: impl FnOnce(&Savepoint<'_>) -> Result<T, E>,
) -> WriteResult<T, E> {
    let savepoint = group.savepoint().map_err(WriteError::Unavailable)?;
    // Dropped without `commit`, the savepoint is rolled back: after an error as after a panic.
    match catch_unwind(AssertUnwindSafe(|| work(&savepoint))) {
        Ok(Ok(value)) => savepoint
            .commit()
            .map(|()| value)
            .map_err(WriteError::Unavailable),
        Ok(Err(refusal)) => Err(WriteError::Refused(refusal)),
        Err(_) => Err(WriteError::Panicked),
    }
}

impl<E> From<CommitFailure> for WriteError<E> {
    fn from(failure: CommitFailure) -> Self {
        match failure {
            CommitFailure::RolledBack(source) => Self::Unavailable(source),
            CommitFailure::Unknown(source) => Self::Unknown(source),
        }
    }
}

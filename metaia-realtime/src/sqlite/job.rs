//! One request, with its types erased so that requests of all kinds share a queue.

use std::panic::{AssertUnwindSafe, catch_unwind};

use rusqlite::{Savepoint, Transaction};
use tokio::sync::oneshot;

use super::WriteError;

pub(super) type Outcome<T, E> = Result<T, WriteError<E>>;

/// What the thread does with a request: first [`run`](Job::run), and once the group is decided,
/// [`answer`](Job::answer).
pub(super) trait Job: Send {
    /// Does it inside a savepoint of its own. A failure is kept for the answer.
    fn run(&mut self, group: &mut Transaction<'_>);

    /// Says how it went. `failure` is why the group was not committed.
    fn answer(self: Box<Self>, failure: Option<Failure>);
}

/// Why a group was not committed.
#[derive(Debug)]
pub(super) enum Failure {
    /// It is rolled back.
    RolledBack(rusqlite::Error),
    /// Its last bytes may or may not have reached the disk.
    Unknown(rusqlite::Error),
}

pub(super) struct Request<F, A, T, E> {
    work: Option<F>,
    after: A,
    outcome: Outcome<T, E>,
    reply: oneshot::Sender<Outcome<T, E>>,
}

impl<F, A, T, E> Request<F, A, T, E> {
    pub(super) fn new(work: F, after: A, reply: oneshot::Sender<Outcome<T, E>>) -> Self {
        Self {
            work: Some(work),
            after,
            outcome: Err(WriteError::Closed),
            reply,
        }
    }
}

impl<F, A, T, E> Job for Request<F, A, T, E>
where
    F: FnOnce(&Savepoint<'_>) -> Result<T, E> + Send,
    A: FnOnce(&T) + Send,
    T: Send,
    E: Send,
{
    fn run(&mut self, group: &mut Transaction<'_>) {
        if let Some(work) = self.work.take() {
            self.outcome = in_savepoint(group, work);
        }
    }

    fn answer(self: Box<Self>, failure: Option<Failure>) {
        let Self {
            after,
            mut outcome,
            reply,
            ..
        } = *self;
        // A request that had failed by itself keeps its own answer: it is the better one.
        if let (Ok(_), Some(failure)) = (&outcome, failure) {
            outcome = Err(failure.into());
        }
        if let Ok(value) = &outcome {
            let followed = catch_unwind(AssertUnwindSafe(|| after(value)));
            if followed.is_err() {
                tracing::error!("what follows a commit panicked; the commit stands");
            }
        }
        // Nobody waits any more: the caller dropped the future.
        let _ = reply.send(outcome);
    }
}

fn in_savepoint<T, E>(
    group: &mut Transaction<'_>,
    work: impl FnOnce(&Savepoint<'_>) -> Result<T, E>,
) -> Outcome<T, E> {
    let savepoint = group.savepoint().map_err(WriteError::Unavailable)?;
    // Dropped without `commit`, the savepoint is rolled back: after an error and after a panic
    // alike.
    match catch_unwind(AssertUnwindSafe(|| work(&savepoint))) {
        Ok(Ok(value)) => savepoint
            .commit()
            .map(|()| value)
            .map_err(WriteError::Unavailable),
        Ok(Err(refusal)) => Err(WriteError::Refused(refusal)),
        Err(_) => Err(WriteError::Panicked),
    }
}

impl<E> From<Failure> for WriteError<E> {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::RolledBack(source) => Self::Unavailable(source),
            Failure::Unknown(source) => Self::Unknown(source),
        }
    }
}

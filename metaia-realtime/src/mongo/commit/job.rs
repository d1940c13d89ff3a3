//! A job: one request to a committer, and the caller that waits for its result.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::oneshot;

use crate::{
    NewEntry, Position,
    log::LogError,
    mongo::{fault::MongoFault, records::Records},
};

/// The size that is assumed for a change in bytes: the real one is not known before it is planned.
const ASSUMED_CHANGE_SIZE: usize = 4_096;

/// The request of a job.
pub(super) enum JobRequest<C> {
    /// Appends entries and changes no records.
    Append(Vec<NewEntry>),
    /// Changes records.
    Change(Arc<C>),
}

/// The result of a job, of the same kind as its request.
pub(super) enum JobResult<D> {
    Positions(Vec<Position>),
    Done(D),
}

type JobResultSender<D> = oneshot::Sender<Result<JobResult<D>, LogError>>;
pub(super) type ResultReceiver<D> = oneshot::Receiver<Result<JobResult<D>, LogError>>;

/// The progress of a job. It decides which error a caller sees.
enum JobState<D> {
    /// Nothing of the job is stored, and no running try can store it.
    Waiting(JobResultSender<D>),
    /// A try may have stored the job, or may still do so.
    MayBeStored(JobResultSender<D>),
    /// The caller has its result, or has stopped waiting.
    Finished,
}

/// One request to a committer, with the place for its result.
pub(super) struct CommitJob<R: Records> {
    pub(super) request: JobRequest<R::Change>,
    state: Mutex<JobState<R::Done>>,
}

impl<R: Records> CommitJob<R> {
    pub(super) fn new(request: JobRequest<R::Change>) -> (Arc<Self>, ResultReceiver<R::Done>) {
        let (sender, receiver) = oneshot::channel();
        let job = Self {
            request,
            state: Mutex::new(JobState::Waiting(sender)),
        };
        (Arc::new(job), receiver)
    }

    /// Returns the approximate size in bytes.
    pub(super) fn estimated_size(&self) -> usize {
        match &self.request {
            JobRequest::Append(entries) => entries.iter().map(NewEntry::size).sum(),
            JobRequest::Change(_) => ASSUMED_CHANGE_SIZE,
        }
    }

    /// Marks the job as one that may be stored from now on. Returns false if its caller has stopped
    /// waiting: then the job must not be stored.
    pub(super) fn mark_may_be_stored(&self) -> bool {
        let mut state = self.state();
        *state = match std::mem::replace(&mut *state, JobState::Finished) {
            JobState::Waiting(sender) if sender.is_closed() => JobState::Finished,
            JobState::Waiting(sender) | JobState::MayBeStored(sender) => {
                JobState::MayBeStored(sender)
            }
            JobState::Finished => JobState::Finished,
        };
        !matches!(*state, JobState::Finished)
    }

    /// Marks the job as one of which certainly nothing was stored.
    pub(super) fn mark_not_stored(&self) {
        let mut state = self.state();
        *state = match std::mem::replace(&mut *state, JobState::Finished) {
            JobState::Waiting(sender) | JobState::MayBeStored(sender) => JobState::Waiting(sender),
            JobState::Finished => JobState::Finished,
        };
    }

    /// Returns true while the caller waits for the result.
    pub(super) fn is_awaited(&self) -> bool {
        match &*self.state() {
            JobState::Waiting(sender) | JobState::MayBeStored(sender) => !sender.is_closed(),
            JobState::Finished => false,
        }
    }

    /// Sends the result to the caller. Only the first result of a job counts.
    pub(super) fn finish(&self, result: JobResult<R::Done>) {
        match self.take_state() {
            JobState::Waiting(sender) | JobState::MayBeStored(sender) => {
                // The caller may have stopped waiting.
                sender.send(Ok(result)).ok();
            }
            JobState::Finished => {}
        }
    }

    /// Sends the caller an error: `Unknown` if the job may have been stored, otherwise
    /// `Unavailable`.
    pub(super) fn fail(&self, fault: MongoFault) {
        match self.take_state() {
            JobState::Waiting(sender) => {
                sender.send(Err(fault.unavailable())).ok();
            }
            JobState::MayBeStored(sender) => {
                sender.send(Err(fault.unknown())).ok();
            }
            JobState::Finished => {}
        }
    }

    /// Ends the waiting of the caller and returns the error for it. If the job was waiting, it will
    /// never be stored.
    pub(super) fn abandon(&self, fault: MongoFault) -> LogError {
        match self.take_state() {
            JobState::Waiting(_) => fault.unavailable(),
            JobState::MayBeStored(_) | JobState::Finished => fault.unknown(),
        }
    }

    fn take_state(&self) -> JobState<R::Done> {
        std::mem::replace(&mut *self.state(), JobState::Finished)
    }

    /// Locks the state. A poisoned lock is usable: no method leaves the state half changed.
    fn state(&self) -> MutexGuard<'_, JobState<R::Done>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

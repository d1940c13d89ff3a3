//! The callers of jobs, and what each of them may be told.
//!
//! A caller learns `Unavailable` only if certainly nothing of its job is stored and nothing will
//! be. So before a try commits, it *marks* its jobs: from then on a caller that stops waiting
//! learns `Unknown`. A caller that has stopped waiting before that keeps the try from committing.

use std::{sync::Arc, time::Duration};

use parking_lot::Mutex;
use tokio::sync::oneshot;

use crate::{log::LogError, mongo::fault::MongoFault};

/// The time that a caller waits for its job.
const CALLER_TIMEOUT: Duration = Duration::from_millis(4_500);

type ResultSender<T> = oneshot::Sender<Result<T, LogError>>;

/// The place for the result of a job. `T` is the type of the result that its request has.
pub(super) struct Caller<T> {
    state: Mutex<CallerState<T>>,
}

/// The stage of a caller's change, which decides the error that the caller gets.
enum CallerState<T> {
    /// Nothing of the job is stored, and no running try can store it.
    Waiting(ResultSender<T>),
    /// A try may have stored the job, or may still do so.
    MayBeStored(ResultSender<T>),
    /// The caller has its result, or has stopped waiting.
    Finished,
}

/// The waiting side of a [`Caller`].
pub(super) struct WaitingCaller<T> {
    caller: Arc<Caller<T>>,
    result: oneshot::Receiver<Result<T, LogError>>,
}

impl<T> Caller<T> {
    pub(super) fn new() -> (Arc<Self>, WaitingCaller<T>) {
        let (sender, result) = oneshot::channel();
        let caller = Arc::new(Self {
            state: Mutex::new(CallerState::Waiting(sender)),
        });
        let waiting = WaitingCaller {
            caller: Arc::clone(&caller),
            result,
        };
        (caller, waiting)
    }

    /// Hands over the result. Only the first result of a job counts.
    pub(super) fn finish(&self, result: T) {
        match self.take_state() {
            CallerState::Waiting(sender) | CallerState::MayBeStored(sender) => {
                // The caller may have stopped waiting.
                sender.send(Ok(result)).ok();
            }
            CallerState::Finished => {}
        }
    }

    /// Ends the waiting and returns the error for the caller. If no try has marked the job, it will
    /// never be stored.
    fn stop_waiting(&self, fault: MongoFault) -> LogError {
        match self.take_state() {
            CallerState::Waiting(_) => fault.unavailable(),
            CallerState::MayBeStored(_) | CallerState::Finished => fault.unknown(),
        }
    }

    fn take_state(&self) -> CallerState<T> {
        std::mem::replace(&mut *self.state.lock(), CallerState::Finished)
    }
}

impl<T> WaitingCaller<T> {
    /// Waits for the result, for at most 4.5 s (`CALLER_TIMEOUT`).
    pub(super) async fn wait(self) -> Result<T, LogError> {
        match tokio::time::timeout(CALLER_TIMEOUT, self.result).await {
            Ok(Ok(result)) => result,
            // The sender is never dropped while this waits: `self.caller` has it.
            Ok(Err(_)) | Err(_) => Err(self.caller.stop_waiting(MongoFault::TimedOut)),
        }
    }
}

/// A [`Caller`], whatever the type of its result is.
pub(super) trait AnyCaller: Send + Sync {
    /// Returns true while the caller waits.
    fn is_awaited(&self) -> bool;

    /// Marks the job as one that may be stored from now on. Returns false if the caller has stopped
    /// waiting: then the job must not be stored.
    fn mark_may_be_stored(&self) -> bool;

    /// Marks the job as one of which certainly nothing was stored.
    fn mark_not_stored(&self);

    /// Sends the caller an error: `Unknown` if the job may have been stored, otherwise
    /// `Unavailable`.
    fn fail(&self, fault: MongoFault);
}

impl<T: Send> AnyCaller for Caller<T> {
    fn is_awaited(&self) -> bool {
        match &*self.state.lock() {
            CallerState::Waiting(sender) | CallerState::MayBeStored(sender) => !sender.is_closed(),
            CallerState::Finished => false,
        }
    }

    fn mark_may_be_stored(&self) -> bool {
        let mut state = self.state.lock();
        *state = match std::mem::replace(&mut *state, CallerState::Finished) {
            CallerState::Waiting(sender) if sender.is_closed() => CallerState::Finished,
            CallerState::Waiting(sender) | CallerState::MayBeStored(sender) => {
                CallerState::MayBeStored(sender)
            }
            CallerState::Finished => CallerState::Finished,
        };
        !matches!(*state, CallerState::Finished)
    }

    fn mark_not_stored(&self) {
        let mut state = self.state.lock();
        *state = match std::mem::replace(&mut *state, CallerState::Finished) {
            CallerState::Waiting(sender) | CallerState::MayBeStored(sender) => {
                CallerState::Waiting(sender)
            }
            CallerState::Finished => CallerState::Finished,
        };
    }

    fn fail(&self, fault: MongoFault) {
        match self.take_state() {
            CallerState::Waiting(sender) => {
                sender.send(Err(fault.unavailable())).ok();
            }
            CallerState::MayBeStored(sender) => {
                sender.send(Err(fault.unknown())).ok();
            }
            CallerState::Finished => {}
        }
    }
}

/// The callers of several jobs.
#[derive(Clone)]
pub(super) struct Callers(Vec<Arc<dyn AnyCaller>>);

impl Callers {
    /// Marks the jobs as ones that may be stored from now on. Returns false if one of the callers
    /// has stopped waiting: then none of the jobs must be stored.
    pub(super) fn mark_may_be_stored(&self) -> bool {
        self.0.iter().all(|caller| caller.mark_may_be_stored())
    }

    /// Marks the jobs as ones of which certainly nothing was stored.
    pub(super) fn mark_not_stored(&self) {
        for caller in &self.0 {
            caller.mark_not_stored();
        }
    }
}

impl FromIterator<Arc<dyn AnyCaller>> for Callers {
    fn from_iter<I: IntoIterator<Item = Arc<dyn AnyCaller>>>(callers: I) -> Self {
        Self(callers.into_iter().collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Checks the error of a caller that stops waiting after `change`.
    #[track_caller]
    fn check_stop(change: impl FnOnce(&Caller<()>), is_unknown: bool) {
        let (caller, _waiting) = Caller::new();
        change(&caller);
        let error = caller.stop_waiting(MongoFault::TimedOut);
        assert_eq!(matches!(error, LogError::Unknown(_)), is_unknown, "{error}");
        assert!(!caller.is_awaited());
        assert!(!caller.mark_may_be_stored());
    }

    #[test]
    fn a_caller_that_stops_waiting_learns_unknown_only_if_its_job_may_be_stored() {
        check_stop(|_| {}, false);
        check_stop(|caller| assert!(caller.mark_may_be_stored()), true);
        check_stop(
            |caller| {
                assert!(caller.mark_may_be_stored());
                caller.mark_not_stored();
            },
            false,
        );
    }

    #[test]
    fn a_caller_without_a_receiver_keeps_a_try_from_committing() {
        let (dropped, waiting) = Caller::<()>::new();
        drop(waiting);
        let (awaited, _waiting) = Caller::<()>::new();
        let both: [Arc<dyn AnyCaller>; 2] = [awaited, dropped];
        assert!(!Callers::from_iter(both).mark_may_be_stored());
    }

    #[tokio::test]
    async fn only_the_first_result_counts() {
        let (caller, waiting) = Caller::new();
        caller.finish(1);
        caller.finish(2);
        caller.fail(MongoFault::Closed);
        assert_eq!(waiting.wait().await.unwrap(), 1);
    }

    #[tokio::test(start_paused = true)]
    async fn a_caller_stops_waiting_after_its_timeout() {
        let (caller, waiting) = Caller::<()>::new();
        let result = waiting.wait().await;
        assert!(matches!(result, Err(LogError::Unavailable(_))));
        assert!(!caller.mark_may_be_stored());
    }
}

//! The point of a try after which its batch may be stored.

use parking_lot::Mutex;

use super::caller::Callers;

/// The point between the writing of a batch and its commit.
///
/// A try runs on a task and may outlive the worker's timeout. The task passes this point right
/// before the commit; the worker abandons it after the timeout. Whichever comes first wins, so the
/// worker knows if the batch can still be stored.
///
/// Passing also decides for the callers: it [marks](Callers::mark_may_be_stored) their jobs, so a
/// caller that stops waiting later learns `Unknown`. If a caller has stopped waiting before, it was
/// told that nothing will be stored, and the point cannot be passed.
pub(super) struct CommitPoint {
    stage: Mutex<CommitStage>,
    callers: Callers,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum CommitStage {
    Writing,
    Committing,
    Abandoned,
}

impl CommitPoint {
    /// Returns the point of a batch with the jobs of these callers.
    pub(super) const fn new(callers: Callers) -> Self {
        Self {
            stage: Mutex::new(CommitStage::Writing),
            callers,
        }
    }

    /// Marks the jobs and passes the point, right before the commit. Returns false if the batch
    /// must not be committed: the try was abandoned, or one of the callers has stopped waiting.
    pub(super) fn pass(&self) -> bool {
        let mut stage = self.stage.lock();
        if *stage == CommitStage::Writing && self.callers.mark_may_be_stored() {
            *stage = CommitStage::Committing;
        }
        *stage == CommitStage::Committing
    }

    /// Abandons the try. Returns true if it has not passed the point: then nothing of the batch
    /// will ever be stored.
    pub(super) fn abandon(&self) -> bool {
        let mut stage = self.stage.lock();
        if *stage == CommitStage::Writing {
            *stage = CommitStage::Abandoned;
        }
        *stage == CommitStage::Abandoned
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::mongo::commit::caller::{AnyCaller, Caller, WaitingCaller};

    /// Returns the point of one job, with the job's caller.
    fn point() -> (CommitPoint, Arc<dyn AnyCaller>, WaitingCaller<()>) {
        let (caller, waiting) = Caller::new();
        let caller: Arc<dyn AnyCaller> = caller;
        let callers = Callers::from_iter([Arc::clone(&caller)]);
        (CommitPoint::new(callers), caller, waiting)
    }

    #[test]
    fn an_abandoned_try_does_not_pass() {
        let (point, _, _waiting) = point();
        assert!(point.abandon());
        assert!(!point.pass());
    }

    #[test]
    fn a_try_that_has_passed_cannot_be_abandoned() {
        let (point, _, _waiting) = point();
        assert!(point.pass());
        assert!(!point.abandon());
        assert!(point.pass());
    }

    #[test]
    fn a_caller_that_stops_waiting_before_the_point_stops_the_try() {
        let (point, _, waiting) = point();
        drop(waiting);
        assert!(!point.pass());
        assert!(point.abandon());
    }

    #[tokio::test]
    async fn a_caller_that_fails_after_the_point_learns_unknown() {
        let (point, caller, waiting) = point();
        assert!(point.pass());
        caller.fail(crate::mongo::fault::MongoFault::TimedOut);
        let result = waiting.wait().await;
        assert!(matches!(result, Err(crate::log::LogError::Unknown(_))));
    }

    #[tokio::test]
    async fn a_caller_that_fails_before_the_point_learns_that_nothing_is_stored() {
        let (_point, caller, waiting) = point();
        caller.fail(crate::mongo::fault::MongoFault::TimedOut);
        let result = waiting.wait().await;
        assert!(matches!(result, Err(crate::log::LogError::Unavailable(_))));
    }
}

//! The point of a try after which its batch may be stored.

use std::sync::{Mutex, MutexGuard, PoisonError};

/// The point between the writing of a batch and its commit.
///
/// A try runs on a task and may outlive the worker's timeout. The task passes this point right
/// before the commit; the worker abandons it after the timeout. Whichever comes first wins, so the
/// worker knows if the batch can still be stored.
pub(super) struct CommitPoint {
    stage: Mutex<CommitStage>,
    /// Marks the jobs of the batch as ones that may be stored. Returns false if the caller of one
    /// of them has stopped waiting.
    mark_jobs: Box<dyn Fn() -> bool + Send + Sync>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum CommitStage {
    Writing,
    Committing,
    Abandoned,
}

impl CommitPoint {
    pub(super) fn new(mark_jobs: impl Fn() -> bool + Send + Sync + 'static) -> Self {
        Self {
            stage: Mutex::new(CommitStage::Writing),
            mark_jobs: Box::new(mark_jobs),
        }
    }

    /// Passes the point, right before the commit. Returns false if the batch must not be committed.
    pub(super) fn pass(&self) -> bool {
        let mut stage = self.stage();
        if *stage == CommitStage::Writing && (self.mark_jobs)() {
            *stage = CommitStage::Committing;
        }
        *stage == CommitStage::Committing
    }

    /// Abandons the try. Returns true if it has not passed the point: then nothing of the batch
    /// will ever be stored.
    pub(super) fn abandon(&self) -> bool {
        let mut stage = self.stage();
        if *stage == CommitStage::Writing {
            *stage = CommitStage::Abandoned;
        }
        *stage == CommitStage::Abandoned
    }

    fn stage(&self) -> MutexGuard<'_, CommitStage> {
        self.stage.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_abandoned_try_does_not_pass() {
        let point = CommitPoint::new(|| true);
        assert!(point.abandon());
        assert!(!point.pass());
    }

    #[test]
    fn a_try_that_has_passed_cannot_be_abandoned() {
        let point = CommitPoint::new(|| true);
        assert!(point.pass());
        assert!(!point.abandon());
        assert!(point.pass());
    }

    #[test]
    fn a_job_without_a_caller_stops_the_try() {
        let point = CommitPoint::new(|| false);
        assert!(!point.pass());
        assert!(point.abandon());
    }
}

//! A job: one request to a committer, and the caller that waits for its result.

use std::sync::Arc;

use super::{
    batch::{BatchDraft, HandOver},
    caller::{AnyCaller, Caller, WaitingCaller},
};
use crate::{
    NewEntry, Position,
    mongo::{
        fault::MongoFault,
        records::{RecordChange, Records},
    },
};

/// The size that is assumed for a change in bytes: the real one is not known before it is planned.
const ASSUMED_CHANGE_SIZE: usize = 4_096;

pub(super) type Jobs<R> = Vec<CommitJob<R>>;

/// One request to a committer, with its caller. A job that is dropped without a result fails its
/// caller, so no caller waits for a worker that has ended.
pub(super) struct CommitJob<R: Records> {
    pub(super) request: Box<dyn JobRequest<R>>,
    pub(super) caller: Arc<dyn AnyCaller>,
}

/// A request, whatever the type of its result is.
pub(super) trait JobRequest<R: Records>: Send + Sync {
    /// Returns the approximate size in bytes.
    fn estimated_size(&self) -> usize;

    /// Adds the facts that are needed to plan the request.
    fn want(&self, wanted: &mut Option<R::Wanted>);

    /// Adds the request to a batch. Returns what hands its caller the result if the batch is
    /// stored.
    fn draft(&self, facts: &mut R::Facts, batch: &mut BatchDraft<'_>) -> HandOver;
}

impl<R: Records> CommitJob<R> {
    /// Returns a job that appends entries and changes no records.
    pub(super) fn append(entries: Vec<NewEntry>) -> (Self, WaitingCaller<Vec<Position>>) {
        let (caller, waiting) = Caller::new();
        let request = AppendRequest {
            entries,
            caller: Arc::clone(&caller),
        };
        let job = Self {
            request: Box::new(request),
            caller,
        };
        (job, waiting)
    }

    /// Returns a job that changes records.
    pub(super) fn change<C: RecordChange<R>>(change: C) -> (Self, WaitingCaller<C::Done>) {
        let (caller, waiting) = Caller::new();
        let request = ChangeRequest {
            change,
            caller: Arc::clone(&caller),
        };
        let job = Self {
            request: Box::new(request),
            caller,
        };
        (job, waiting)
    }
}

impl<R: Records> Drop for CommitJob<R> {
    fn drop(&mut self) {
        self.caller.fail(MongoFault::Closed);
    }
}

struct AppendRequest {
    entries: Vec<NewEntry>,
    caller: Arc<Caller<Vec<Position>>>,
}

impl<R: Records> JobRequest<R> for AppendRequest {
    fn estimated_size(&self) -> usize {
        self.entries.iter().map(NewEntry::size).sum()
    }

    fn want(&self, _wanted: &mut Option<R::Wanted>) {}

    fn draft(&self, _facts: &mut R::Facts, batch: &mut BatchDraft<'_>) -> HandOver {
        let positions = batch.append(&self.entries);
        let caller = Arc::clone(&self.caller);
        Box::new(move || caller.finish(positions))
    }
}

struct ChangeRequest<C, D> {
    change: C,
    caller: Arc<Caller<D>>,
}

impl<R: Records, C: RecordChange<R>> JobRequest<R> for ChangeRequest<C, C::Done> {
    fn estimated_size(&self) -> usize {
        ASSUMED_CHANGE_SIZE
    }

    fn want(&self, wanted: &mut Option<R::Wanted>) {
        self.change.want(wanted.get_or_insert_default());
    }

    fn draft(&self, facts: &mut R::Facts, batch: &mut BatchDraft<'_>) -> HandOver {
        let done = batch.change(self.change.plan(facts));
        let caller = Arc::clone(&self.caller);
        Box::new(move || caller.finish(done))
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::time::Instant;

    use super::*;
    use crate::{log::LogError, mongo::records::NoRecords};

    /// Drops a job after `change`. Checks that its caller is told at once, and the error.
    async fn check_drop(change: impl FnOnce(&dyn AnyCaller), is_unknown: bool) {
        let (job, waiting) = CommitJob::<NoRecords>::append(Vec::new());
        change(&*job.caller);
        let started = Instant::now();
        drop(job);
        let error = waiting.wait().await.unwrap_err();
        assert_eq!(started.elapsed(), Duration::ZERO, "{error}");
        assert_eq!(matches!(error, LogError::Unknown(_)), is_unknown, "{error}");
    }

    #[tokio::test(start_paused = true)]
    async fn a_caller_whose_job_is_dropped_is_told_at_once() {
        check_drop(|_| {}, false).await;
        check_drop(|caller| assert!(caller.mark_may_be_stored()), true).await;
    }
}

//! The open jobs: those that a worker has taken from the queue together and that have no result
//! yet.
//!
//! The worker makes one *try* after the other to store them, each time as one batch, until every
//! job has a result or its caller has stopped waiting. [`OpenJobs`] remembers what the earlier
//! tries have shown: which entries are in the log already, and which tries may still be stored. See
//! [`try_commit`](super::try_commit) for one try.

use std::{collections::HashMap, sync::Arc, time::Duration};

use rand::RngExt as _;
use tokio::time::Instant;
use uuid::Uuid;

use super::{
    batch::{BatchDraft, PlannedTry},
    caller::Callers,
    job::Jobs,
};
use crate::{
    mongo::{
        head::{HeadRecord, HeadVersion},
        records::Records,
    },
    values::EventId,
};

/// The pause after the first failure of the database. Each further one doubles it.
const FIRST_BACKOFF: Duration = Duration::from_millis(20);
/// The longest pause of a worker.
pub(super) const MAX_PAUSE: Duration = Duration::from_millis(500);

/// The number of tries on stale records after which the jobs of a batch are tried one by one.
const MAX_STALE_TRIES: u32 = 3;

/// The jobs of one batch, from the first try to the last, and what the tries have shown so far.
pub(super) struct OpenJobs<R: Records> {
    pub(super) jobs: Jobs<R>,
    /// The numbers of those entries of the jobs that the log already has, as far as it is known.
    pub(super) known: HashMap<EventId, u64>,
    /// Tries whose outcome is unknown.
    pub(super) unresolved: Vec<PlannedTry>,
    /// The number of tries whose batch was planned from stale records.
    stale_tries: u32,
    /// The time of the first try that lost to another node, or of the last search for transactions
    /// of dead nodes.
    pub(super) contended_since: Option<Instant>,
    /// The pause after the next failure of the database.
    backoff: Duration,
}

/// The state of the open jobs after a try without an error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum TryProgress {
    /// Every job has its result.
    Finished,
    /// An earlier try is found to be stored. The jobs that were not part of it are still open.
    EarlierTryStored,
}

impl<R: Records> OpenJobs<R> {
    pub(super) fn new(jobs: Jobs<R>) -> Self {
        Self {
            jobs,
            known: HashMap::new(),
            unresolved: Vec::new(),
            stale_tries: 0,
            contended_since: None,
            backoff: FIRST_BACKOFF,
        }
    }

    /// Drops the jobs that have their result, or whose callers have stopped waiting. Returns false
    /// if none is left.
    pub(super) fn retain_awaited_jobs(&mut self) -> bool {
        self.jobs.retain(|job| job.caller.is_awaited());
        !self.jobs.is_empty()
    }

    /// Removes and returns the unresolved try that is stored: the head names it as the last batch
    /// of the committer.
    pub(super) fn take_stored(&mut self, committer: Uuid, head: &HeadRecord) -> Option<PlannedTry> {
        let stored = self
            .unresolved
            .iter()
            .position(|unresolved| head.is_last_batch_of(committer, unresolved.batch.id))?;
        Some(self.unresolved.swap_remove(stored))
    }

    /// Drops the unresolved tries that can no longer be stored, given this state of the head. If
    /// none is left, nothing of the jobs is stored.
    pub(super) fn drop_impossible_tries(&mut self, head: &HeadVersion) {
        if self.unresolved.is_empty() {
            return;
        }
        self.unresolved
            .retain(|unresolved| may_still_be_stored(&unresolved.batch.before, head));
        if self.unresolved.is_empty() {
            self.mark_not_stored();
        }
    }

    /// Marks all jobs as not stored.
    pub(super) fn mark_not_stored(&self) {
        self.callers().mark_not_stored();
    }

    pub(super) fn callers(&self) -> Callers {
        self.jobs
            .iter()
            .map(|job| Arc::clone(&job.caller))
            .collect()
    }

    /// Returns the facts that the changes among the jobs are planned from, or `None` if there are
    /// no changes.
    pub(super) fn wanted(&self) -> Option<R::Wanted> {
        let mut wanted = None;
        for job in &self.jobs {
            job.request.want(&mut wanted);
        }
        wanted
    }

    /// Puts the jobs into a batch that follows `head`. Its entries are of the time `ts`, in ms
    /// since the Unix epoch.
    pub(super) fn plan(&self, head: HeadVersion, mut facts: R::Facts, ts: i64) -> PlannedTry {
        let mut draft = BatchDraft::after(head, &self.known, ts);
        let mut results = Vec::with_capacity(self.jobs.len());
        for job in &self.jobs {
            results.push(job.request.draft(&mut facts, &mut draft));
        }
        PlannedTry {
            batch: Arc::new(draft.into_batch()),
            results,
        }
    }

    /// Counts a try whose batch was planned from stale records. Returns true if the jobs must be
    /// tried one by one from now on. Each job is then an [`OpenJobs`] of its own, which does not
    /// know the unresolved tries of this one and could store the job a second time. So this
    /// returns false while there are unresolved tries.
    pub(super) fn count_stale_try(&mut self) -> bool {
        self.stale_tries += 1;
        self.stale_tries >= MAX_STALE_TRIES && self.unresolved.is_empty()
    }

    /// Returns the pause after a failure of the database, and doubles the next one.
    pub(super) fn next_backoff(&mut self) -> Duration {
        let pause = jittered(self.backoff);
        self.backoff = (self.backoff * 2).min(MAX_PAUSE);
        pause
    }
}

/// Returns true if a batch that requires the head `before` can still be stored, after the head was
/// read as `head`. After a failover the head may look older than it was. So an older turn does not
/// prove that the try failed.
fn may_still_be_stored(before: &HeadVersion, head: &HeadVersion) -> bool {
    before.epoch == head.epoch && head.turn <= before.turn
}

/// Returns a random time from half of the pause to one and a half of it.
pub(super) fn jittered(pause: Duration) -> Duration {
    pause / 2 + random_up_to(pause)
}

/// Returns a random time below `most`.
pub(super) fn random_up_to(most: Duration) -> Duration {
    most.mul_f64(rand::rng().random_range(0.0..1.0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::values::Epoch;

    fn head(epoch: u64, turn: i64) -> HeadVersion {
        HeadVersion {
            epoch: Epoch::from_bits(epoch),
            turn,
            n: 0,
            id: EventId::from_bytes([0; 16]),
        }
    }

    #[test]
    fn a_try_may_be_stored_until_the_head_has_moved_past_it() {
        let before = head(1, 5);
        assert!(may_still_be_stored(&before, &head(1, 4)));
        assert!(may_still_be_stored(&before, &head(1, 5)));
        assert!(!may_still_be_stored(&before, &head(1, 6)));
        assert!(!may_still_be_stored(&before, &head(2, 5)));
    }
}

//! The jobs that a worker tries to store, and what it has learned by its tries so far.

use std::{collections::HashMap, sync::Arc, time::Duration};

use rand::RngExt as _;
use tokio::time::Instant;
use uuid::Uuid;

use super::{
    batch::{CommitBatch, JobResults},
    job::CommitJob,
};
use crate::{
    mongo::{
        fault::MongoFault,
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

pub(super) type Jobs<R> = Vec<Arc<CommitJob<R>>>;

/// The jobs of one batch, from the first try to the last.
pub(super) struct OpenJobs<R: Records> {
    pub(super) jobs: Jobs<R>,
    /// The numbers of those entries of the jobs that the log is known to have already.
    pub(super) known: HashMap<EventId, u64>,
    /// The tries of which it is not known if they are stored, or may still be.
    pub(super) unresolved: Vec<UnresolvedTry<R>>,
    /// The number of tries whose batch was decided on stale records.
    stale_tries: u32,
    /// The time of the first try that lost to another node, or of the last look for dead nodes.
    pub(super) contended_since: Option<Instant>,
    /// The pause after the next failure of the database.
    backoff: Duration,
}

/// A try of which it is not known if it is stored.
pub(super) struct UnresolvedTry<R: Records> {
    pub(super) batch: Arc<CommitBatch>,
    pub(super) jobs: Jobs<R>,
    pub(super) results: JobResults<R>,
}

/// The state of an open_jobs after a try without an error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum TryProgress {
    /// Every job has its result.
    Finished,
    /// An earlier try turned out to be stored. Jobs that were not part of it are still to be done.
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
        self.jobs.retain(|job| job.is_awaited());
        !self.jobs.is_empty()
    }

    /// Removes and returns the unresolved try that the head names as the last of the committer: it
    /// is stored.
    pub(super) fn take_stored(
        &mut self,
        committer: Uuid,
        head: &HeadRecord,
    ) -> Option<UnresolvedTry<R>> {
        let stored = self
            .unresolved
            .iter()
            .position(|unresolved| head.is_last_batch_of(committer, unresolved.batch.id))?;
        Some(self.unresolved.swap_remove(stored))
    }

    /// Drops the unresolved tries that can no longer be stored, now that the head is in this state.
    /// If none is left, nothing of the jobs is stored.
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

    /// Marks all jobs as ones of which nothing is stored.
    pub(super) fn mark_not_stored(&self) {
        for job in &self.jobs {
            job.mark_not_stored();
        }
    }

    /// Sends the callers of all jobs an error.
    pub(super) fn fail(&self, fault: &MongoFault) {
        for job in &self.jobs {
            job.fail(fault.clone());
        }
    }

    /// Counts a try whose batch was decided on stale records. Returns true if the jobs must be
    /// tried one by one from now on. That needs new attempts, which do not know the unresolved
    /// tries of this one and could store a job twice. So it waits until there is none.
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

/// Returns true if a batch that requires the head `before` can be stored later, now that the head
/// was read as `head`. A new primary may show an older head than the one that the try was made on,
/// so an older turn does not exclude it.
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

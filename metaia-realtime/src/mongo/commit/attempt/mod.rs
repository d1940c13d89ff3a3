//! The attempt to store the jobs that a worker has taken from the queue together. A pure kernel.
//!
//! The worker makes one *try* after the other, each time as one batch, until every job has its
//! result or its caller has stopped waiting. [`Attempt`] remembers what the tries have shown so
//! far, and decides what follows a failure. See [`try_commit`](super::try_commit) for one try.
//!
//! # Why no job is stored twice
//!
//! A try whose outcome is unknown is *unresolved*. Before the next try, the head is read: it names
//! the last batch of each committer, so it shows if an unresolved try is stored. If it is, the
//! attempt is over. Otherwise the next try requires the head that was just read. Every try moves
//! the head away from the state that it requires, and the head never returns to that state. So of
//! all tries at most one is ever stored, however late a write reaches the server.

mod pause;
#[cfg(test)]
mod tests;

use std::{collections::HashMap, sync::Arc, time::Duration};

use tokio::time::Instant;
use uuid::Uuid;

use super::{
    batch::{BatchDraft, PlannedTry},
    caller::Callers,
    job::Jobs,
    try_error::TryError,
};
use crate::{
    mongo::{
        head::{HeadRecord, HeadVersion},
        records::Records,
    },
    values::EventId,
};
use pause::{Backoff, random_up_to};

pub(super) use pause::{MAX_PAUSE, jittered};

/// The number of tries on stale records after which the jobs of a batch are tried one by one.
const MAX_STALE_TRIES: u32 = 3;

/// The longest pause after a try that lost to a faster one.
const CONTENTION_PAUSE: Duration = Duration::from_millis(5);

/// The time for which tries may lose before the worker looks for transactions of dead nodes.
const CONTENTION_LIMIT: Duration = Duration::from_millis(1_200);

/// The jobs of one batch, from the first try to the last, and what the tries have shown so far.
pub(super) struct Attempt<R: Records> {
    /// The id by which the head names the committer.
    committer: Uuid,
    jobs: Jobs<R>,
    /// The state of the head that the next try is planned from. `None` if the head must be read
    /// first, which it must after every failure.
    head: Option<HeadVersion>,
    /// The numbers of those entries of the jobs that the log already has, as far as it is known.
    known: HashMap<EventId, u64>,
    /// Tries whose outcome is unknown.
    unresolved: Vec<PlannedTry>,
    /// The number of tries whose batch was planned from stale records.
    stale_tries: u32,
    /// The time of the first try that lost to another node, or of the last search for transactions
    /// of dead nodes.
    contended_since: Option<Instant>,
    backoff: Backoff,
}

/// The worker's next step after a failed try.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum NextStep {
    /// Tries again at once.
    TryAgain,
    /// Tries again after a pause.
    Pause(Duration),
    /// Tries again after a pause in which it asks the other nodes for its turn. It first aborts
    /// idle transactions if it has lost for so long that one of a dead node may lock the head.
    WaitForTurn { abort_idle: bool, pause: Duration },
    /// Stores the jobs one at a time. A batch fails as a whole. One job at a time, only the job
    /// that cannot be written fails.
    OneByOne,
}

impl<R: Records> Attempt<R> {
    /// Starts with the head as the last batch of the committer has left it, if that is known. If
    /// another node has moved it since, the first try fails and the next one reads the head.
    pub(super) fn new(committer: Uuid, jobs: Jobs<R>, head: Option<HeadVersion>) -> Self {
        Self {
            committer,
            jobs,
            head,
            known: HashMap::new(),
            unresolved: Vec::new(),
            stale_tries: 0,
            contended_since: None,
            backoff: Backoff::default(),
        }
    }

    /// Drops the jobs that have their result, or whose callers have stopped waiting. Returns false
    /// if none is left.
    pub(super) fn keep_awaited_jobs(&mut self) -> bool {
        self.jobs.retain(|job| job.caller.is_awaited());
        !self.jobs.is_empty()
    }

    pub(super) fn callers(&self) -> Callers {
        self.jobs
            .iter()
            .map(|job| Arc::clone(&job.caller))
            .collect()
    }

    pub(super) fn into_jobs(self) -> Jobs<R> {
        self.jobs
    }

    /// Returns the head that the next try is planned from, or `None` if it must be read first.
    pub(super) const fn head(&self) -> Option<HeadVersion> {
        self.head
    }

    /// Takes in the head as it was read after the last try. Returns the earlier try that the head
    /// shows to be stored. If there is one, every job of this attempt was part of it, since a try
    /// has no job that an earlier one had not.
    pub(super) fn resolve(&mut self, head: &HeadRecord) -> Option<PlannedTry> {
        self.head = Some(head.version);
        let is_stored = |tried: &PlannedTry| head.is_last_batch_of(self.committer, tried.batch.id);
        if let Some(stored) = self.unresolved.iter().position(is_stored) {
            return Some(self.unresolved.swap_remove(stored));
        }
        self.unresolved
            .retain(|tried| may_still_be_stored(&tried.batch.before, &head.version));
        self.mark_not_stored_unless_unresolved();
        None
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

    /// Records that a batch is stored, after which the head is in the state `after`.
    pub(super) const fn record_stored(&mut self, after: HeadVersion) {
        self.head = Some(after);
    }

    /// Keeps a try whose outcome is unknown until the head shows it.
    pub(super) fn keep_unresolved(&mut self, tried: PlannedTry) {
        self.unresolved.push(tried);
    }

    /// Records the numbers of entries that the log already has.
    pub(super) fn learn_known_entries(&mut self, known: HashMap<EventId, u64>) {
        self.known.extend(known);
    }

    /// Records a failed try, and decides what follows it.
    pub(super) fn next_step(&mut self, error: &TryError, now: Instant) -> NextStep {
        // The try may have failed because the head has moved.
        self.head = None;
        self.mark_not_stored_unless_unresolved();
        match error {
            TryError::HeadMoved | TryError::Conflict => NextStep::WaitForTurn {
                abort_idle: self.is_contended_too_long(now),
                pause: random_up_to(CONTENTION_PAUSE),
            },
            // There is nothing to wait for: the next try leaves out the jobs without a caller, and
            // knows the entries that the log has.
            TryError::Abandoned | TryError::AlreadyLogged => NextStep::TryAgain,
            TryError::Stale => self.step_after_stale_try(),
            TryError::PlanPanicked if self.may_be_separated() => NextStep::OneByOne,
            TryError::PlanPanicked | TryError::Failed(_) | TryError::Unknown(_) => {
                NextStep::Pause(self.backoff.next_pause())
            }
        }
    }

    /// Marks all jobs as not stored, unless an unresolved try may have stored them.
    fn mark_not_stored_unless_unresolved(&self) {
        if self.unresolved.is_empty() {
            self.callers().mark_not_stored();
        }
    }

    /// Returns true if the jobs may be tried one by one. Each job that is tried alone is an attempt
    /// of its own, which does not know the unresolved tries of this one and could store the job a
    /// second time. So the jobs stay together while there are any.
    const fn may_be_separated(&self) -> bool {
        self.unresolved.is_empty()
    }

    /// Decides what follows a batch that was planned from stale records.
    fn step_after_stale_try(&mut self) -> NextStep {
        self.stale_tries += 1;
        if self.stale_tries >= MAX_STALE_TRIES && self.may_be_separated() {
            return NextStep::OneByOne;
        }
        NextStep::Pause(random_up_to(CONTENTION_PAUSE))
    }

    /// Returns true once whenever tries have lost for longer than `CONTENTION_LIMIT`.
    fn is_contended_too_long(&mut self, now: Instant) -> bool {
        let since = *self.contended_since.get_or_insert(now);
        let is_too_long = now.duration_since(since) > CONTENTION_LIMIT;
        if is_too_long {
            self.contended_since = Some(now);
        }
        is_too_long
    }
}

/// Returns true if a batch that requires the head `before` can still be stored, after the head was
/// read as `head`. After a failover the head may look older than it was. So an older turn does not
/// prove that the try failed.
fn may_still_be_stored(before: &HeadVersion, head: &HeadVersion) -> bool {
    before.epoch == head.epoch && head.turn <= before.turn
}

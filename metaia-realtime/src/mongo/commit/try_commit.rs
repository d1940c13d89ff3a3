//! One try of an [attempt](Attempt): locate the head, read the facts, plan a batch, write it.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
    time::Duration,
};

use tokio::time::Instant;

use super::{
    attempt::{Attempt, MAX_PAUSE},
    batch::{CommitBatch, PlannedTry},
    caller::Callers,
    commit_point::CommitPoint,
    known_entries::known_numbers,
    standalone::commit_through_head,
    transaction::commit_in_transaction,
    try_error::{Committed, TryError},
    worker::CommitWorker,
};
use crate::{
    mongo::{
        Deployment, fault::MongoFault, head::HeadVersion, options::OPERATION_TIMEOUT,
        records::Records,
    },
    values::time,
};

/// The time after which the outcome of one try counts as unknown.
const TRY_TIMEOUT: Duration = Duration::from_secs(4);

impl<R: Records> CommitWorker<R> {
    /// Tries once to store the jobs of an attempt. Returns when all of them have their results.
    pub(super) async fn try_once(&mut self, attempt: &mut Attempt<R>) -> Result<(), TryError> {
        let located = self.locate_head(attempt).await;
        let Some(head) = located.map_err(TryError::Failed)? else {
            // An earlier try is stored.
            return Ok(());
        };
        let wanted = call_changes(|| attempt.wanted())?;
        let read = self.read_facts(wanted).await;
        let facts = read.map_err(TryError::Failed)?;
        let tried = call_changes(|| attempt.plan(head, facts, time::unix_ms()))?;
        if tried.batch.is_empty() {
            tried.hand_over();
            return Ok(());
        }
        let started = Instant::now();
        match self.write(attempt.callers(), &tried.batch).await {
            Ok(committed) => {
                self.yield_pause = yield_pause(committed, started.elapsed());
                attempt.record_stored(tried.batch.after);
                self.finish(tried);
                Ok(())
            }
            Err(error) => {
                self.record_failure(attempt, tried, &error).await?;
                Err(error)
            }
        }
    }

    /// Returns the state of the head for the next try, or `None` if an earlier try is found to be
    /// stored.
    async fn locate_head(
        &self,
        attempt: &mut Attempt<R>,
    ) -> Result<Option<HeadVersion>, MongoFault> {
        if attempt.head().is_none() {
            let head = self.log.refresh().await?;
            if let Some(stored) = attempt.resolve(&head) {
                self.finish(stored);
                return Ok(None);
            }
        }
        Ok(attempt.head())
    }

    /// Reads the facts for the changes of a batch. Reads nothing if there are no changes.
    async fn read_facts(&self, wanted: Option<R::Wanted>) -> Result<R::Facts, MongoFault> {
        let Some(wanted) = wanted else {
            return Ok(R::Facts::default());
        };
        let records = Arc::clone(&self.records);
        let work = async move { records.read(wanted).await };
        self.log.mongo.run(OPERATION_TIMEOUT, work).await
    }

    /// Writes and commits a batch, on a task that goes on after the timeout.
    async fn write(
        &self,
        callers: Callers,
        batch: &Arc<CommitBatch>,
    ) -> Result<Committed, TryError> {
        let mongo = &self.log.mongo;
        let deployment = mongo.known_deployment().await.map_err(TryError::Failed)?;
        let point = Arc::new(CommitPoint::new(callers));
        let work = {
            let mongo = mongo.clone();
            let me = self.me;
            let batch = Arc::clone(batch);
            let point = Arc::clone(&point);
            async move {
                Ok::<_, MongoFault>(match deployment {
                    Deployment::ReplicaSet => commit_in_transaction(mongo, me, batch, point).await,
                    Deployment::Standalone => commit_through_head(mongo, me, batch, point).await,
                })
            }
        };
        match mongo.run(TRY_TIMEOUT, work).await {
            Ok(tried) => tried,
            // The task had not committed yet, and will not any more.
            Err(fault) if point.abandon() => Err(TryError::Failed(fault)),
            Err(fault) => Err(TryError::Unknown(fault)),
        }
    }

    /// Records what the next try must know about a failed one.
    async fn record_failure(
        &self,
        attempt: &mut Attempt<R>,
        tried: PlannedTry,
        error: &TryError,
    ) -> Result<(), TryError> {
        match error {
            TryError::Unknown(_) => attempt.keep_unresolved(tried),
            TryError::AlreadyLogged => {
                let learned = self.learn_known_entries(attempt, &tried.batch).await;
                learned.map_err(TryError::Failed)?;
            }
            TryError::HeadMoved
            | TryError::Conflict
            | TryError::Stale
            | TryError::PlanPanicked
            | TryError::Abandoned
            | TryError::Failed(_) => {}
        }
        Ok(())
    }

    /// Reads the numbers of those entries of the batch that the log has already.
    async fn learn_known_entries(
        &self,
        attempt: &mut Attempt<R>,
        batch: &CommitBatch,
    ) -> Result<(), MongoFault> {
        let known = known_numbers(&self.log.mongo, batch.event_ids()).await?;
        if known.is_empty() {
            // The log has none of these entries, but has others with their numbers. This only
            // happens if a part of the database was restored: history is no longer continuous.
            let head = self.log.refresh().await?;
            self.log.begin_epoch(&head).await?;
        }
        attempt.learn_known_entries(known);
        Ok(())
    }

    /// Hands over the results of a stored batch. The log takes the entries first, so that a caller
    /// can read what it has appended.
    fn finish(&self, stored: PlannedTry) {
        let batch = &stored.batch;
        self.log.add_committed(&batch.after, &batch.entries);
        stored.hand_over();
    }
}

/// Calls code of the embedder's changes. A panic there fails the try, and is logged. It must not
/// end the worker, on which all writes of the node depend.
fn call_changes<T>(call: impl FnOnce() -> T) -> Result<T, TryError> {
    // Nothing is left half changed: the calls only read the attempt, and the facts are dropped.
    catch_unwind(AssertUnwindSafe(call)).map_err(|_| {
        tracing::error!("a change panicked while it was planned");
        TryError::PlanPanicked
    })
}

/// Returns the pause before the next batch: as long as this batch took, if another committer has
/// asked for its turn.
fn yield_pause(committed: Committed, took: Duration) -> Duration {
    if committed.must_yield {
        took.min(MAX_PAUSE)
    } else {
        Duration::ZERO
    }
}

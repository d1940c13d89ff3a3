//! One try to store the [open jobs](OpenJobs): locate the head, read the facts, plan a batch, write
//! it.
//!
//! If the outcome of a try is unknown, the worker reads the head before the next try: the head
//! names the last batch of each committer. Every try requires that the head is still in the state
//! that was read before the try. So at most one of all the tries of a job can ever be stored,
//! however late a write reaches the server.

use std::{sync::Arc, time::Duration};

use tokio::time::Instant;

use super::{
    batch::{CommitBatch, PlannedTry},
    caller::Callers,
    commit_point::CommitPoint,
    open_jobs::{MAX_PAUSE, OpenJobs, TryProgress},
    standalone::commit_through_head,
    transaction::commit_in_transaction,
    try_error::{Committed, TryError},
    worker::CommitWorker,
};
use crate::{
    mongo::{
        Deployment, fault::MongoFault, head::HeadVersion, log::read, options::OPERATION_TIMEOUT,
        records::Records,
    },
    values::time,
};

/// The time after which the outcome of one try counts as unknown.
const TRY_TIMEOUT: Duration = Duration::from_secs(4);

impl<R: Records> CommitWorker<R> {
    /// Tries once to store the jobs.
    pub(super) async fn try_once(
        &mut self,
        open_jobs: &mut OpenJobs<R>,
    ) -> Result<TryProgress, TryError> {
        let located = self.locate_head(open_jobs).await;
        let Some(version) = located.map_err(TryError::Failed)? else {
            return Ok(TryProgress::EarlierTryStored);
        };
        let read = self.read_facts(open_jobs.wanted()).await;
        let facts = read.map_err(TryError::Failed)?;
        let tried = open_jobs.plan(version, facts, time::unix_ms());
        if tried.batch.is_empty() {
            tried.hand_over();
            return Ok(TryProgress::Finished);
        }
        let started = Instant::now();
        match self.write(open_jobs.callers(), &tried.batch).await {
            Ok(committed) => {
                self.yield_pause = yield_pause(committed, started.elapsed());
                self.finish(tried);
                Ok(TryProgress::Finished)
            }
            Err(error) => {
                self.record_failure(open_jobs, tried, &error).await?;
                Err(error)
            }
        }
    }

    /// Returns the state of the head for the next try, or `None` if an earlier try is found to be
    /// stored.
    async fn locate_head(
        &mut self,
        open_jobs: &mut OpenJobs<R>,
    ) -> Result<Option<HeadVersion>, MongoFault> {
        // The head as the last batch of this worker has left it. If another node has moved it
        // since, the try fails and the next one reads the head. While there are unresolved tries,
        // the head must be read in any case: it shows whether one of them is stored.
        if let Some(version) = self.head
            && open_jobs.unresolved.is_empty()
        {
            return Ok(Some(version));
        }
        let head = self.log.refresh().await?;
        if let Some(stored) = open_jobs.take_stored(self.me, &head) {
            self.finish(stored);
            return Ok(None);
        }
        open_jobs.drop_impossible_tries(&head.version);
        self.head = Some(head.version);
        Ok(self.head)
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

    /// Records in the open jobs what the next try must know about a failed one.
    async fn record_failure(
        &self,
        open_jobs: &mut OpenJobs<R>,
        tried: PlannedTry,
        error: &TryError,
    ) -> Result<(), TryError> {
        if matches!(error, TryError::Unknown(_)) {
            open_jobs.unresolved.push(tried);
            return Ok(());
        }
        if matches!(error, TryError::AlreadyLogged) {
            let learned = self.learn_known_entries(open_jobs, &tried.batch).await;
            learned.map_err(TryError::Failed)?;
        }
        // This try has stored nothing. Earlier tries that are unresolved may still be stored.
        if open_jobs.unresolved.is_empty() {
            open_jobs.mark_not_stored();
        }
        Ok(())
    }

    /// Reads the numbers of those entries of the batch that the log has already.
    async fn learn_known_entries(
        &self,
        open_jobs: &mut OpenJobs<R>,
        batch: &CommitBatch,
    ) -> Result<(), MongoFault> {
        let known = read::known_numbers(&self.log.mongo, batch.event_ids()).await?;
        if known.is_empty() {
            // The log has none of these entries, but has others with their numbers. This only
            // happens if a part of the database was restored: history is no longer continuous.
            let head = self.log.refresh().await?;
            self.log.begin_epoch(&head).await?;
        }
        open_jobs.known.extend(known);
        Ok(())
    }

    /// Hands over the results of a stored batch. The log takes the entries first, so that a caller
    /// can read what it has appended.
    fn finish(&mut self, stored: PlannedTry) {
        let batch = &stored.batch;
        self.log.add_committed(&batch.after, &batch.entries);
        self.head = Some(batch.after);
        stored.hand_over();
    }
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

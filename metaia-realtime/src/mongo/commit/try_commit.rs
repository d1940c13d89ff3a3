//! One try to store the [open jobs](OpenJobs): locate the head, plan, draft a batch, write it.
//!
//! If the outcome of a try is unknown, the worker reads the head before the next try: the head
//! names the last batch of each committer. Every try requires that the head is still in the state
//! that was read before the try. So at most one of all the tries of a job can ever be stored,
//! however late a write reaches the server.

use std::{sync::Arc, time::Duration};

use tokio::time::Instant;

use super::{
    batch::{CommitBatch, JobResults, draft},
    commit_point::CommitPoint,
    job::JobRequest,
    open_jobs::{Jobs, MAX_PAUSE, OpenJobs, TryProgress, UnresolvedTry},
    standalone::commit_through_head,
    transaction::commit_in_transaction,
    try_error::{Committed, TryError},
    worker::CommitWorker,
};
use crate::{
    mongo::{
        Deployment,
        fault::MongoFault,
        head::HeadVersion,
        log::read,
        options::OPERATION_TIMEOUT,
        records::{Plan, Records},
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
        let planned = self.plan(&open_jobs.jobs).await;
        let plans = planned.map_err(TryError::Failed)?;
        let drafted = draft(
            &open_jobs.jobs,
            plans,
            version,
            &open_jobs.known,
            time::unix_ms(),
        );
        let Some((batch, results)) = drafted else {
            open_jobs.fail(&MongoFault::Impossible(
                "the number of plans is not the number of changes",
            ));
            return Ok(TryProgress::Finished);
        };
        if batch.is_empty() {
            finish_jobs(&open_jobs.jobs, results);
            return Ok(TryProgress::Finished);
        }
        let batch = Arc::new(batch);
        let started = Instant::now();
        match self.write(&open_jobs.jobs, &batch).await {
            Ok(committed) => {
                self.yield_pause = yield_pause(committed, started.elapsed());
                self.finish(&batch, &open_jobs.jobs, results);
                Ok(TryProgress::Finished)
            }
            Err(error) => {
                self.record_failure(open_jobs, batch, results, &error)
                    .await?;
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
            self.finish(&stored.batch, &stored.jobs, stored.results);
            return Ok(None);
        }
        open_jobs.drop_impossible_tries(&head.version);
        self.head = Some(head.version);
        Ok(self.head)
    }

    async fn plan(&self, jobs: &Jobs<R>) -> Result<Vec<Plan<R::Done>>, MongoFault> {
        let mut changes = Vec::new();
        for job in jobs {
            if let JobRequest::Change(change) = &job.request {
                changes.push(Arc::clone(change));
            }
        }
        if changes.is_empty() {
            return Ok(Vec::new());
        }
        let records = Arc::clone(&self.records);
        let work = async move { records.plan(&changes).await };
        self.log.mongo.run(OPERATION_TIMEOUT, work).await
    }

    /// Writes and commits a batch, on a task that goes on after the timeout.
    async fn write(&self, jobs: &Jobs<R>, batch: &Arc<CommitBatch>) -> Result<Committed, TryError> {
        let mongo = &self.log.mongo;
        let deployment = mongo.known_deployment().await.map_err(TryError::Failed)?;
        let marked = jobs.clone();
        let point = Arc::new(CommitPoint::new(move || {
            marked.iter().all(|job| job.mark_may_be_stored())
        }));
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
        batch: Arc<CommitBatch>,
        results: JobResults<R>,
        error: &TryError,
    ) -> Result<(), TryError> {
        if matches!(error, TryError::Unknown(_)) {
            open_jobs.unresolved.push(UnresolvedTry {
                batch,
                jobs: open_jobs.jobs.clone(),
                results,
            });
            return Ok(());
        }
        if matches!(error, TryError::AlreadyLogged) {
            let learned = self.learn_known_entries(open_jobs, &batch).await;
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

    /// Finishes the jobs of a stored batch. The log takes the entries before the callers have their
    /// results, so that a caller can read what it has appended.
    fn finish(&mut self, batch: &CommitBatch, jobs: &Jobs<R>, results: JobResults<R>) {
        self.log.add_committed(&batch.after, &batch.entries);
        self.head = Some(batch.after);
        finish_jobs(jobs, results);
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

fn finish_jobs<R: Records>(jobs: &Jobs<R>, results: JobResults<R>) {
    for (job, result) in jobs.iter().zip(results) {
        job.finish(result);
    }
}

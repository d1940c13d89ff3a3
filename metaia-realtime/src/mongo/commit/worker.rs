//! The task that writes: it takes the jobs that wait, and tries to store them as one batch until it
//! succeeds or no caller waits for them any more. An [`Attempt`] keeps the jobs between the tries;
//! [`try_commit`](super::try_commit) makes one try.

use std::{sync::Arc, time::Duration};

use tokio::{sync::mpsc, time::Instant};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::{
    attempt::{Attempt, NextStep, jittered},
    contention,
    job::{CommitJob, Jobs},
    try_error::TryError,
};
use crate::{
    failure_log::FailureLog,
    mongo::{
        Deployment, fault::MongoFault, head::HeadVersion, log::state::MongoLogState,
        records::Records,
    },
};

/// The most jobs of a batch, and their approximate size in bytes.
const MAX_JOBS: usize = 512;
const MAX_BATCH_BYTES: usize = 4 * 1024 * 1024;

/// The worker of one committer: it takes jobs from the queue and stores them.
pub(super) struct CommitWorker<R: Records> {
    pub(super) log: Arc<MongoLogState>,
    pub(super) records: Arc<R>,
    queue: mpsc::Receiver<CommitJob<R>>,
    /// The id by which the head names this committer.
    pub(super) me: Uuid,
    /// The state of the head as the last batch has left it, unless a failed try has cast doubt on
    /// it.
    head: Option<HeadVersion>,
    /// The pause before the next batch, in which other committers have their turn.
    pub(super) yield_pause: Duration,
    failures: FailureLog,
}

impl<R: Records> CommitWorker<R> {
    pub(super) fn new(
        log: &Arc<MongoLogState>,
        records: R,
        queue: mpsc::Receiver<CommitJob<R>>,
    ) -> Self {
        Self {
            log: Arc::clone(log),
            records: Arc::new(records),
            queue,
            me: Uuid::new_v4(),
            head: None,
            yield_pause: Duration::ZERO,
            failures: FailureLog::default(),
        }
    }

    /// Runs until the log is closed. Then the jobs that are left fail.
    pub(super) async fn run(mut self, closing: CancellationToken) {
        loop {
            let jobs = tokio::select! {
                biased;
                () = closing.cancelled() => break,
                jobs = self.next_jobs() => jobs,
            };
            if jobs.is_empty() {
                break;
            }
            tokio::select! {
                biased;
                () = closing.cancelled() => break,
                () = self.commit_jobs(jobs) => {}
            }
        }
        self.queue.close();
        // A job that is dropped fails its caller.
        while self.queue.try_recv().is_ok() {}
    }

    /// Waits for jobs, and takes as many as fit into a batch. Returns none when the last
    /// [`Committer`](super::Committer) is gone.
    async fn next_jobs(&mut self) -> Jobs<R> {
        let pause = std::mem::take(&mut self.yield_pause);
        if !pause.is_zero() {
            tokio::time::sleep(jittered(pause)).await;
        }
        let Some(first) = self.queue.recv().await else {
            return Vec::new();
        };
        let mut bytes = first.request.estimated_size();
        let mut jobs = vec![first];
        while jobs.len() < MAX_JOBS && bytes < MAX_BATCH_BYTES {
            let Ok(job) = self.queue.try_recv() else {
                break;
            };
            bytes += job.request.estimated_size();
            jobs.push(job);
        }
        jobs
    }

    /// Tries until every job has its result or its caller has stopped waiting.
    ///
    /// # Cancel safety
    /// Tries that are running when the future is dropped end by themselves.
    async fn commit_jobs(&mut self, jobs: Jobs<R>) {
        let mut attempt = Attempt::new(self.me, jobs, self.head);
        while attempt.keep_awaited_jobs() {
            let Err(error) = self.try_once(&mut attempt).await else {
                self.failures
                    .worked(|| tracing::info!("MongoDB can be written to again"));
                break;
            };
            self.log_failure(&error);
            match attempt.next_step(&error, Instant::now()) {
                NextStep::TryAgain => {}
                NextStep::Pause(pause) => tokio::time::sleep(pause).await,
                NextStep::WaitForTurn { abort_idle, pause } => {
                    if abort_idle {
                        self.abort_idle_transactions().await;
                    }
                    tokio::time::sleep(pause).await;
                    self.request_turn().await;
                }
                NextStep::OneByOne => {
                    self.head = None;
                    let alone = error.fault_of_single_job();
                    self.commit_one_by_one(attempt.into_jobs(), alone).await;
                    return;
                }
            }
        }
        self.head = attempt.head();
    }

    /// Stores jobs one at a time. A batch fails as a whole. One job at a time, only the job that
    /// cannot be written fails: with `alone`.
    async fn commit_one_by_one(&mut self, jobs: Jobs<R>, alone: MongoFault) {
        if let [job] = &*jobs {
            job.caller.fail(alone);
            return;
        }
        for job in jobs {
            // Boxed, since this future contains itself.
            Box::pin(self.commit_jobs(vec![job])).await;
        }
    }

    /// Asks the node that was faster to skip one turn. Without that the last writer, which already
    /// knows the head, would always win.
    async fn request_turn(&self) {
        let mongo = &self.log.mongo;
        let deployment = mongo.known_deployment().await;
        // Only a transaction reads the request: a standalone server has none.
        if deployment.is_ok_and(|deployment| deployment == Deployment::ReplicaSet) {
            // A request that fails costs fairness and nothing else.
            contention::request_turn(mongo, self.me).await.ok();
        }
    }

    /// Aborts the transactions of dead nodes, which keep the head locked.
    async fn abort_idle_transactions(&self) {
        match contention::abort_idle_transactions(&self.log.mongo).await {
            Ok(0) => {}
            Ok(aborted) => tracing::warn!(
                aborted,
                "idle transactions in MongoDB that locked the log were aborted"
            ),
            Err(fault) => tracing::warn!(
                error = &fault as &dyn std::error::Error,
                "idle transactions in MongoDB that may lock the log cannot be aborted"
            ),
        }
    }

    /// Logs the first failure of the database after a success. To lose to another node is none.
    fn log_failure(&mut self, error: &TryError) {
        let (TryError::Failed(fault) | TryError::Unknown(fault)) = error else {
            return;
        };
        self.failures.failed(|| {
            tracing::warn!(
                error = fault as &dyn std::error::Error,
                "MongoDB cannot be written to; trying again"
            );
        });
    }
}

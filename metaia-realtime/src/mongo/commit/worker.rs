//! The task that writes: it takes what is waiting, decides it on what it reads, and tries until it
//! is written, or nobody waits for it any more.
//!
//! Where it is not known what became of a try, it looks before it tries again: the head names the
//! last batch of each committer. Every try is made under the condition that the head is where it
//! was when it was looked at, so that of all tries of a change one at the most can ever be stored,
//! however late it gets there.

use std::{collections::HashMap, sync::Arc, time::Duration};

use rand::RngExt as _;
use tokio::{sync::mpsc, time::Instant};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::{
    batch::{Answers, Batch, Standing, draft},
    commit_point::Gate,
    contention as rivals,
    job::{Ask, Job},
    outcome::Outcome,
    standalone::put,
    transaction::transact,
};
use crate::{
    EventId,
    log::Entry,
    mongo::{
        Deployment, Plan, Records,
        fault::Fault,
        handle::PATIENCE,
        head::HeadRecord,
        log::{read, state::Shared},
    },
    values::time,
};

/// Most jobs of a batch, and about how many bytes.
const JOBS: usize = 512;
const BYTES: usize = 4 * 1024 * 1024;

/// How long one try may take before it counts as not answered.
const TRY: Duration = Duration::from_secs(4);

/// Pauses after a try that failed, and after one that somebody else won.
const FIRST_PAUSE: Duration = Duration::from_millis(20);
const LONGEST_PAUSE: Duration = Duration::from_millis(500);
const LOST_PAUSE: Duration = Duration::from_millis(5);

/// How long somebody else may be in the way, before it is looked who that is.
const ORPHANED: Duration = Duration::from_millis(1_200);

/// How often a batch may be found to be decided on what is not so any more, before its jobs go one
/// by one.
const STALE: u32 = 3;

type Jobs<R> = Vec<Arc<Job<R>>>;

/// A try whose outcome is not known.
struct Doubt<R: Records> {
    batch: Arc<Batch>,
    jobs: Jobs<R>,
    answers: Answers<R>,
}

/// See the [module](self).
pub(super) struct Worker<R: Records> {
    log: Arc<Shared>,
    records: Arc<R>,
    queue: mpsc::Receiver<Arc<Job<R>>>,
    /// Its name, in the head.
    me: Uuid,
    /// Where the head is, as far as is known here.
    standing: Option<Standing>,
    failing: bool,
    /// How long others are let by.
    pause: Duration,
}

impl<R: Records> Worker<R> {
    pub(super) fn new(log: &Arc<Shared>, records: R, queue: mpsc::Receiver<Arc<Job<R>>>) -> Self {
        let (log, records) = (Arc::clone(log), Arc::new(records));
        Self {
            log,
            records,
            queue,
            me: Uuid::new_v4(),
            standing: None,
            failing: false,
            pause: Duration::ZERO,
        }
    }

    /// Runs until the log is closed.
    pub(super) async fn run(mut self, closing: CancellationToken) {
        loop {
            let jobs = tokio::select! {
                biased;
                () = closing.cancelled() => break,
                jobs = self.take() => jobs,
            };
            if jobs.is_empty() {
                break;
            }
            tokio::select! {
                biased;
                () = closing.cancelled() => {
                    jobs.iter().for_each(|job| job.fail(Fault::Closed));
                    break;
                }
                () = self.settle(jobs.clone()) => {}
            }
        }
        self.queue.close();
        while let Ok(job) = self.queue.try_recv() {
            job.fail(Fault::Closed);
        }
    }

    /// What waits, as much as fits into a batch; nothing where nobody will ask any more.
    async fn take(&mut self) -> Jobs<R> {
        let pause = std::mem::take(&mut self.pause);
        if !pause.is_zero() {
            tokio::time::sleep(pause / 2 + random(pause)).await;
        }
        let Some(first) = self.queue.recv().await else {
            return Vec::new();
        };
        let (mut size, mut jobs) = (first.size(), vec![first]);
        while jobs.len() < JOBS && size < BYTES {
            let Ok(job) = self.queue.try_recv() else {
                break;
            };
            size += job.size();
            jobs.push(job);
        }
        jobs
    }

    /// Tries until each job is answered, or nobody waits for it. Dropped, its tries end by
    /// themselves.
    async fn settle(&mut self, mut jobs: Jobs<R>) {
        let (mut doubts, mut known) = (Vec::new(), HashMap::new());
        let (mut pause, mut stale, mut lost) = (FIRST_PAUSE, 0, None);
        loop {
            jobs.retain(|job| job.is_wanted());
            if jobs.is_empty() {
                return;
            }
            let tried = match self.stand(&mut doubts, &jobs).await {
                Ok(Some(standing)) => {
                    self.try_once(&jobs, standing, &mut known, &mut doubts)
                        .await
                }
                Ok(None) => continue,
                Err(fault) => Err(Outcome::Failed(fault)),
            };
            let Err(outcome) = tried else {
                return self.say_change(None);
            };
            // What was known of the head led to nothing.
            self.standing = None;
            match outcome {
                Outcome::Committed { .. } => return,
                Outcome::Lost | Outcome::Conflict => self.wait_for_the_winner(&mut lost).await,
                Outcome::GivenUp | Outcome::Known => {}
                Outcome::Stale => {
                    stale += 1;
                    if stale >= STALE && doubts.is_empty() {
                        return self.one_by_one(jobs).await;
                    }
                    tokio::time::sleep(random(LOST_PAUSE)).await;
                }
                Outcome::Failed(fault) | Outcome::Unknown(fault) => {
                    self.say_change(Some(&fault));
                    tokio::time::sleep(pause / 2 + random(pause)).await;
                    pause = (pause * 2).min(LONGEST_PAUSE);
                }
            }
        }
    }

    /// Somebody else was faster. They are asked to be so kind as to wait once: else who has just
    /// written, and knows where the head is, would always be the first. Where this takes long
    /// nobody goes on with what stands in the way.
    async fn wait_for_the_winner(&self, lost: &mut Option<Instant>) {
        let mongo = &self.log.mongo;
        let since = *lost.get_or_insert_with(Instant::now);
        if since.elapsed() > ORPHANED {
            *lost = Some(Instant::now());
            match rivals::end(mongo).await {
                Ok(0) => {}
                Ok(ended) => {
                    tracing::warn!(
                        ended,
                        "transactions in MongoDB that nobody went on with were ended"
                    )
                }
                Err(fault) => {
                    let error = &fault as &dyn std::error::Error;
                    tracing::warn!(
                        error,
                        "transactions in MongoDB that nobody goes on with cannot be ended"
                    );
                }
            }
        }
        tokio::time::sleep(random(LOST_PAUSE)).await;
        if mongo
            .deployed()
            .await
            .is_ok_and(|deployment| deployment == Deployment::ReplicaSet)
        {
            rivals::ask(mongo, self.me).await.ok();
        }
    }

    /// One of them cannot be written as it is decided, and the others need not suffer from it.
    async fn one_by_one(&mut self, jobs: Jobs<R>) {
        if let [job] = &*jobs {
            return job.fail(Fault::Impossible(
                "a record is never what the change was decided on",
            ));
        }
        for job in jobs {
            Box::pin(self.settle(vec![job])).await;
        }
    }

    /// Where the head is, for the next try; `None` where an earlier one turns out to be stored.
    async fn stand(
        &mut self,
        doubts: &mut Vec<Doubt<R>>,
        jobs: &Jobs<R>,
    ) -> Result<Option<Standing>, Fault> {
        if let Some(standing) = self.standing
            && doubts.is_empty()
        {
            return Ok(Some(standing));
        }
        let head = self.log.look().await?;
        let doubted = !doubts.is_empty();
        if let Some(at) = doubts
            .iter()
            .position(|doubt| head.names(self.me, doubt.batch.id))
        {
            let Doubt {
                batch,
                jobs,
                answers,
            } = doubts.swap_remove(at);
            self.committed(&batch, &jobs, answers);
            return Ok(None);
        }
        // From where the head is now only those can still be stored that were to be written there.
        doubts.retain(|doubt| may_come(&doubt.batch, &head));
        if doubted && doubts.is_empty() {
            jobs.iter().for_each(|job| job.rest());
        }
        self.standing = Some(head.standing);
        Ok(self.standing)
    }

    async fn try_once(
        &mut self,
        jobs: &Jobs<R>,
        standing: Standing,
        known: &mut HashMap<EventId, u64>,
        doubts: &mut Vec<Doubt<R>>,
    ) -> Result<(), Outcome> {
        let plans = self.plan(jobs).await.map_err(Outcome::Failed)?;
        let Some((batch, answers)) = draft(jobs, plans, standing, known, time::unix_ms()) else {
            jobs.iter().for_each(|job| {
                job.fail(Fault::Impossible(
                    "the records have not decided every change",
                ))
            });
            return Ok(());
        };
        let (batch, begun) = (Arc::new(batch), Instant::now());
        if batch.is_empty() {
            answer(jobs, answers);
            return Ok(());
        }
        match self.write(jobs, &batch).await {
            Outcome::Committed { asked } => {
                self.pause = if asked {
                    begun.elapsed().min(LONGEST_PAUSE)
                } else {
                    Duration::ZERO
                };
                self.committed(&batch, jobs, answers);
                Ok(())
            }
            Outcome::Unknown(fault) => {
                doubts.push(Doubt {
                    batch,
                    jobs: jobs.clone(),
                    answers,
                });
                Err(Outcome::Unknown(fault))
            }
            outcome => {
                if matches!(outcome, Outcome::Known) {
                    self.learn(&batch, known).await.map_err(Outcome::Failed)?;
                }
                if doubts.is_empty() {
                    jobs.iter().for_each(|job| job.rest());
                }
                Err(outcome)
            }
        }
    }

    /// The log has some of the entries. Where it has none of them it has others with their numbers,
    /// which it should not: a part of the database was restored.
    async fn learn(&self, batch: &Batch, known: &mut HashMap<EventId, u64>) -> Result<(), Fault> {
        let ids = batch.entries.iter().map(|entry| entry.content().id());
        let found = read::known(&self.log.mongo, ids).await?;
        if found.is_empty() {
            self.log.begin_epoch(&*self.log.look().await?).await?;
        }
        known.extend(found);
        Ok(())
    }

    async fn plan(&self, jobs: &Jobs<R>) -> Result<Vec<Plan<R::Done>>, Fault> {
        let changes: Vec<_> = jobs
            .iter()
            .filter_map(|job| match &job.ask {
                Ask::Change(change) => Some(Arc::clone(change)),
                Ask::Append(_) => None,
            })
            .collect();
        if changes.is_empty() {
            return Ok(Vec::new());
        }
        let records = Arc::clone(&self.records);
        self.log
            .mongo
            .run(PATIENCE, async move { records.plan(&changes).await })
            .await
    }

    async fn write(&self, jobs: &Jobs<R>, batch: &Arc<Batch>) -> Outcome {
        let deployment = match self.log.mongo.deployed().await {
            Ok(deployment) => deployment,
            Err(fault) => return Outcome::Failed(fault),
        };
        let waiting = jobs.clone();
        let gate = Arc::new(Gate::new(move || waiting.iter().all(|job| job.begin())));
        let (mongo, by) = (self.log.mongo.clone(), self.me);
        let (written, passed) = (Arc::clone(batch), Arc::clone(&gate));
        let work = async move {
            Ok::<_, Fault>(match deployment {
                Deployment::ReplicaSet => transact(mongo, by, written, passed).await,
                Deployment::Standalone => put(mongo, by, written, passed).await,
            })
        };
        match self.log.mongo.run(TRY, work).await {
            Ok(outcome) => outcome,
            Err(fault) if gate.give_up() => Outcome::Failed(fault),
            Err(fault) => Outcome::Unknown(fault),
        }
    }

    /// The log first, so that whoever is answered can read what was appended.
    fn committed(&mut self, batch: &Batch, jobs: &Jobs<R>, answers: Answers<R>) {
        let entries: &[Arc<Entry>] = &batch.entries;
        self.log.committed(&batch.after, entries);
        self.standing = Some(batch.after);
        answer(jobs, answers);
    }

    /// One line when nothing can be written any more, and one when it can again.
    fn say_change(&mut self, fault: Option<&Fault>) {
        match fault {
            Some(fault) if !self.failing => {
                tracing::warn!(
                    error = fault as &dyn std::error::Error,
                    "MongoDB cannot be written to; trying again"
                );
            }
            None if self.failing => tracing::info!("MongoDB can be written to"),
            Some(_) | None => {}
        }
        self.failing = fault.is_some();
    }
}

/// What a new primary has read a majority to have may be older than the head that the try was made
/// on.
fn may_come(batch: &Batch, head: &HeadRecord) -> bool {
    batch.before.epoch == head.standing.epoch && head.standing.turn <= batch.before.turn
}

fn answer<R: Records>(jobs: &Jobs<R>, answers: Answers<R>) {
    for (job, answer) in jobs.iter().zip(answers) {
        job.answer(Ok(answer));
    }
}

fn random(most: Duration) -> Duration {
    most.mul_f64(rand::rng().random_range(0.0..1.0))
}

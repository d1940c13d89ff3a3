//! The store of many nodes: MongoDB, with the log of events in the same database.
//!
//! - **Writes** go through the log's committer, all of a node's in batches: [`plan`] decides a
//!   batch on what [`prefetch`] reads, and batches of all nodes have one order. At most 4,000 wait;
//!   one more is answered [`StoreError::Unavailable`], and so is what a database that does not
//!   answer leaves waiting for 5 s.
//! - **Reads** are answered by the primary, by what a majority has.
//! - **Documents** look as those of the backend that this one replaces, which are read, too:
//!   [`document`]. What is none of our records is dealt with by [`foreign`].
//! - **No client's JSON** reaches the database as anything but a value: filters are made by
//!   [`filter`] out of ids, statuses and times that were validated, and names of measurements are
//!   values.
//! - **No server is waited for**: a store without one answers [`StoreError::Unavailable`] until it
//!   comes.

mod document;
mod filter;
mod foreign;
mod indexes;
mod plan;
mod prefetch;
mod read;
mod records;
mod request;
#[cfg(test)]
mod tests;

use futures_util::future::BoxFuture;
use metaia_realtime::{
    EventId, Limits, OrderId, UserId,
    log::{LogError, Retention},
    mongo::{Committer, Deployment, Mongo, MongoLog},
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use self::{foreign::Foreign, records::Marketplace};
use super::{
    Answer, Change, Claim, CommitError, NotificationQuery, OrderQuery, PaymentKey, Recall, Store,
    StoreError,
};
use crate::model::{Notification, NotificationId, Order, Page, Payment, TailorStatus};
use crate::store::mongo::request::{Act, Outcome};

/// How many notifications of a user are marked at once.
const MARKED: u16 = 10_000;

/// What is said of a server without transactions.
const STANDALONE: &str =
    "one server by itself, which is for development: in production, make it a replica set";

/// The store in MongoDB. A handle: `clone` is cheap and shares the connections.
#[derive(Debug, Clone)]
pub struct MongoStore {
    mongo: Mongo,
    log: MongoLog,
    committer: Committer<Marketplace>,
    foreign: Foreign,
    entry_bytes: usize,
    tasks: TaskTracker,
    closing: CancellationToken,
}

impl MongoStore {
    /// The records of a database, and the log in it, which keeps what `retention` says. No server
    /// is waited for. To be called on a tokio runtime, on which its tasks run.
    #[must_use]
    pub fn open(mongo: &Mongo, retention: Retention, limits: &Limits) -> Self {
        let (log, committer) =
            MongoLog::with_records(mongo, retention, Marketplace::new(mongo.clone()));
        let (tasks, closing) = (TaskTracker::new(), CancellationToken::new());
        tasks.spawn(greet(mongo.clone(), log.clone()));
        let (foreign, entry_bytes) = (Foreign::default(), limits.entry_bytes);
        Self {
            mongo: mongo.clone(),
            log,
            committer,
            foreign,
            entry_bytes,
            tasks,
            closing,
        }
    }

    /// Makes the indexes, in the background, as soon as a server answers. Without them nothing is
    /// wrong, only slow.
    pub fn make_indexes(&self) {
        self.tasks
            .spawn(indexes::make(self.mongo.clone(), self.closing.clone()));
    }

    /// The log that the events of changes are in.
    #[must_use]
    pub const fn log(&self) -> &MongoLog {
        &self.log
    }

    async fn ask(&self, act: Act) -> Result<Outcome, CommitError> {
        self.committer.commit(act).await.map_err(of_log)?
    }

    async fn mark_all(&self, user: &UserId) -> Result<u64, StoreError> {
        let mut all = 0;
        loop {
            let act = Act::ReadAll {
                user: user.clone(),
                event: EventId::random(),
            };
            let Outcome::All(marked) = self.ask(act).await? else {
                return Err(mistaken());
            };
            all += marked;
            if marked < u64::from(MARKED) {
                return Ok(all);
            }
        }
    }
}

impl Store for MongoStore {
    fn order<'a>(&'a self, id: &'a OrderId) -> BoxFuture<'a, Result<Option<Order>, StoreError>> {
        Box::pin(self.read_order(id))
    }

    fn orders(&self, query: OrderQuery) -> BoxFuture<'_, Result<Page<Order>, StoreError>> {
        Box::pin(self.list_orders(query))
    }

    fn notifications(
        &self,
        query: NotificationQuery,
    ) -> BoxFuture<'_, Result<(Page<Notification>, u64), StoreError>> {
        Box::pin(self.list_notifications(query))
    }

    fn payment(&self, key: PaymentKey) -> BoxFuture<'_, Result<Option<Payment>, StoreError>> {
        Box::pin(self.read_payment(key))
    }

    fn recall<'a>(&'a self, claim: &'a Claim) -> BoxFuture<'a, Result<Recall, StoreError>> {
        Box::pin(self.read_claim(claim))
    }

    fn commit(&self, change: Change) -> BoxFuture<'_, Result<Answer, CommitError>> {
        Box::pin(async move {
            change.require_size(self.entry_bytes)?;
            match self.ask(Act::Change(change)).await? {
                Outcome::Answer(answer) => Ok(answer),
                _ => Err(mistaken().into()),
            }
        })
    }

    fn read_notification<'a>(
        &'a self,
        user: &'a UserId,
        id: NotificationId,
    ) -> BoxFuture<'a, Result<Option<(Notification, u64)>, StoreError>> {
        let act = Act::ReadOne {
            user: user.clone(),
            id,
            event: EventId::random(),
        };
        Box::pin(async move {
            match self.ask(act).await? {
                Outcome::One(found) => Ok(found),
                _ => Err(mistaken()),
            }
        })
    }

    fn read_all<'a>(&'a self, user: &'a UserId) -> BoxFuture<'a, Result<u64, StoreError>> {
        Box::pin(self.mark_all(user))
    }

    fn set_tailor_status(&self, status: TailorStatus) -> BoxFuture<'_, Result<(), StoreError>> {
        let act = Act::Tailor {
            status,
            event: EventId::random(),
        };
        Box::pin(async move { Ok(self.ask(act).await.map(drop)?) })
    }

    fn ping(&self) -> BoxFuture<'_, Result<Option<&'static str>, StoreError>> {
        Box::pin(self.look())
    }

    fn name(&self) -> &'static str {
        "MongoDB"
    }

    fn close(&self) -> BoxFuture<'_, ()> {
        Box::pin(async move {
            self.closing.cancel();
            self.tasks.close();
            self.log.close().await;
            self.tasks.wait().await;
            self.mongo.close().await;
        })
    }
}

/// Says once what it is that answers.
async fn greet(mongo: Mongo, log: MongoLog) {
    if log.ready().await.is_err() {
        return;
    }
    match mongo.deployment().await {
        Ok(Deployment::ReplicaSet) => tracing::info!("MongoDB answers: a replica set"),
        Ok(Deployment::Standalone) => tracing::warn!("MongoDB answers: {STANDALONE}"),
        Err(_) => {}
    }
}

/// Nothing was stored, or nobody knows.
fn of_log(error: LogError) -> StoreError {
    match error {
        LogError::Unknown(source) => StoreError::Unknown(source),
        LogError::Unavailable(source) => StoreError::Unavailable(source),
        other => StoreError::Unavailable(other.into()),
    }
}

/// An answer to another act than the one that was asked for.
fn mistaken() -> StoreError {
    StoreError::Unknown("the committer answered something else".into())
}

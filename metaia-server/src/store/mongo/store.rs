//! The store, and its requests to the committer. `read` adds the queries.

use std::sync::Arc;

use futures_util::future::BoxFuture;
use metaia_realtime::{
    Limits, OrderId, UserId,
    log::Retention,
    mongo::{Committer, Mongo, MongoLog},
    values::EventId,
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use super::{
    deployment::log_deployment,
    error::from_log,
    foreign::ForeignDocuments,
    indexes,
    plan::{Ask, AskResult, CommitChange, MAX_MARKED, MarkAllRead, MarkRead, SetTailorStatus},
    records::{Asked, Marketplace},
};
use crate::{
    model::{Notification, NotificationId, Order, Page, Payment, TailorStatus},
    store::{
        Change, CommitError, IdempotencyClaim, IdempotencyState, Keyed, NotificationQuery,
        OrderQuery, PaymentQuery, StandingPayments, Store, StoreError, StoredReply, Whose,
    },
};

/// The store in MongoDB. A handle: `clone` is cheap and shares the connections.
#[derive(Debug, Clone)]
pub struct MongoStore {
    pub(super) mongo: Mongo,
    pub(super) log: MongoLog,
    committer: Committer<Marketplace>,
    pub(super) foreign: ForeignDocuments,
    entry_bytes: usize,
    tasks: TaskTracker,
    closing: CancellationToken,
}

impl MongoStore {
    /// Returns the store in a database, with the log in it. `retention` bounds the log.
    ///
    /// It does not wait for a server. It must be called on a tokio runtime, which runs its tasks.
    #[must_use]
    pub fn open(mongo: &Mongo, retention: Retention, limits: &Limits) -> Self {
        let records = Marketplace::new(mongo.clone());
        let (log, committer) = MongoLog::with_records(mongo, retention, records);
        let tasks = TaskTracker::new();
        tasks.spawn(log_deployment(mongo.clone(), log.clone()));
        Self {
            mongo: mongo.clone(),
            log,
            committer,
            foreign: ForeignDocuments::default(),
            entry_bytes: limits.entry_bytes,
            tasks,
            closing: CancellationToken::new(),
        }
    }

    /// Creates the indexes in the background, as soon as a server answers. Without them queries are
    /// correct but slow.
    pub fn make_indexes(&self) {
        let keep = indexes::keep(self.mongo.clone(), self.closing.clone());
        self.tasks.spawn(keep);
    }

    /// Returns the log with the events of the changes.
    #[must_use]
    pub const fn log(&self) -> &MongoLog {
        &self.log
    }

    /// Hands a request to the committer, and returns the answer of its type.
    async fn ask<A: Ask>(&self, ask: A) -> AskResult<A> {
        self.committer.commit(Asked(ask)).await.map_err(from_log)?
    }

    async fn commit_change(&self, change: Change) -> Result<StoredReply, CommitError> {
        change.require_size(self.entry_bytes)?;
        self.ask(CommitChange::new(change)).await
    }

    async fn mark_one(
        &self,
        user: &UserId,
        id: NotificationId,
        keyed: Option<Keyed<(Notification, u64)>>,
    ) -> Result<Option<(Notification, u64)>, CommitError> {
        let ask = MarkRead {
            user: user.clone(),
            id,
            event: EventId::random(),
            keyed,
        };
        self.ask(ask).await
    }

    /// Marks all of a user's notifications, in as many requests as it takes.
    async fn mark_all(&self, user: &UserId, keyed: Option<Keyed<u64>>) -> Result<u64, CommitError> {
        let keyed = keyed.map(Arc::new);
        let mut before = 0;
        loop {
            let ask = MarkAllRead {
                user: user.clone(),
                event: EventId::random(),
                before,
                keyed: keyed.clone(),
            };
            let marked = self.ask(ask).await?;
            before += marked;
            if marked < u64::from(MAX_MARKED) {
                return Ok(before);
            }
        }
    }

    async fn store_tailor_status(
        &self,
        status: TailorStatus,
        keyed: Option<Keyed<TailorStatus>>,
    ) -> Result<(), CommitError> {
        let ask = SetTailorStatus {
            status,
            event: EventId::random(),
            keyed,
        };
        self.ask(ask).await
    }
}

impl Store for MongoStore {
    fn order<'a>(
        &'a self,
        whose: &'a Whose,
        id: &'a OrderId,
    ) -> BoxFuture<'a, Result<Option<Order>, StoreError>> {
        Box::pin(self.read_order(whose, id))
    }

    fn latest_order<'a>(
        &'a self,
        whose: &'a Whose,
        id: &'a OrderId,
    ) -> BoxFuture<'a, Result<Option<Order>, StoreError>> {
        Box::pin(self.read_latest_order(whose, id))
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

    fn payment<'a>(
        &'a self,
        razorpay_order_id: &'a str,
    ) -> BoxFuture<'a, Result<Option<Payment>, StoreError>> {
        Box::pin(self.read_payment(razorpay_order_id))
    }

    fn own_payment<'a>(
        &'a self,
        customer: &'a UserId,
        razorpay_order_id: &'a str,
    ) -> BoxFuture<'a, Result<Option<Payment>, StoreError>> {
        Box::pin(self.read_own_payment(customer, razorpay_order_id))
    }

    fn standing_payments<'a>(
        &'a self,
        order: &'a OrderId,
    ) -> BoxFuture<'a, Result<StandingPayments, StoreError>> {
        Box::pin(self.read_standing(order))
    }

    fn payments(&self, query: PaymentQuery) -> BoxFuture<'_, Result<Page<Payment>, StoreError>> {
        Box::pin(self.list_payments(query))
    }

    fn idempotency_state<'a>(
        &'a self,
        claim: &'a IdempotencyClaim,
    ) -> BoxFuture<'a, Result<IdempotencyState, StoreError>> {
        Box::pin(self.read_claim(claim))
    }

    fn commit(&self, change: Change) -> BoxFuture<'_, Result<StoredReply, CommitError>> {
        Box::pin(self.commit_change(change))
    }

    fn read_notification<'a>(
        &'a self,
        user: &'a UserId,
        id: NotificationId,
        keyed: Option<Keyed<(Notification, u64)>>,
    ) -> BoxFuture<'a, Result<Option<(Notification, u64)>, CommitError>> {
        Box::pin(self.mark_one(user, id, keyed))
    }

    fn read_all<'a>(
        &'a self,
        user: &'a UserId,
        keyed: Option<Keyed<u64>>,
    ) -> BoxFuture<'a, Result<u64, CommitError>> {
        Box::pin(self.mark_all(user, keyed))
    }

    fn set_tailor_status(
        &self,
        status: TailorStatus,
        keyed: Option<Keyed<TailorStatus>>,
    ) -> BoxFuture<'_, Result<(), CommitError>> {
        Box::pin(self.store_tailor_status(status, keyed))
    }

    fn ping(&self) -> BoxFuture<'_, Result<Option<&'static str>, StoreError>> {
        Box::pin(self.check_server())
    }

    fn name(&self) -> &'static str {
        "MongoDB"
    }

    fn close(&self) -> BoxFuture<'_, ()> {
        Box::pin(async move {
            self.closing.cancel();
            self.tasks.close();
            // The log before the tasks: one of them waits for it to become ready.
            self.log.close().await;
            self.tasks.wait().await;
            self.mongo.close().await;
        })
    }
}

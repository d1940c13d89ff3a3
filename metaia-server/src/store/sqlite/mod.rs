//! The embedded store: one SQLite file, with one writer that commits in groups. The log of events
//! is in the same file.

mod fault;
mod idempotency;
mod notifications;
mod orders;
mod payments;
mod row;
mod schema;
#[cfg(test)]
mod tests;
mod transaction;

use std::path::PathBuf;

use futures_util::future::BoxFuture;
use metaia_realtime::{
    EventLog as _, Limits, OrderId, SqliteLog, UserId,
    log::Retention,
    sqlite::{OpenError, Readers, SqliteOptions, WriteObstacle, Writer},
};
use rusqlite::Connection;

use self::fault::{Fault, from_probe, from_read};
use super::{
    Change, CommitError, IdempotencyClaim, IdempotencyState, Keyed, NotificationQuery, OrderQuery,
    PaymentQuery, StandingPayments, Store, StoreError, StoredReply, Whose,
};
use crate::model::{Notification, NotificationId, Order, Page, Payment, TailorStatus};

/// The number of reads that run at once.
const READERS: usize = 4;

/// The embedded store. A handle: `clone` is cheap and shares the database.
#[derive(Debug, Clone)]
pub struct SqliteStore {
    writer: Writer,
    readers: Readers,
    log: SqliteLog,
    entry_bytes: usize,
}

impl SqliteStore {
    /// Opens or creates the database, with the log in it. `retention` bounds the log.
    ///
    /// # Errors
    /// Returns [`OpenError`] if the file cannot be opened, or another server uses it.
    pub async fn open(
        path: impl Into<PathBuf>,
        options: SqliteOptions,
        retention: Retention,
        limits: &Limits,
    ) -> Result<Self, OpenError> {
        let writer = Writer::open(path.into(), options, schema::MIGRATIONS).await?;
        let log = SqliteLog::on(&writer, retention).await?;
        let readers = writer.readers(READERS);
        Ok(Self {
            writer,
            readers,
            log,
            entry_bytes: limits.entry_bytes,
        })
    }

    /// Returns the log with the events of the changes.
    #[must_use]
    pub const fn log(&self) -> &SqliteLog {
        &self.log
    }

    async fn read<T, F>(&self, work: F) -> Result<T, StoreError>
    where
        F: FnOnce(&Connection) -> Result<T, Fault> + Send + 'static,
        T: Send + 'static,
    {
        self.readers.read(work).await.map_err(from_read)
    }
}

impl Store for SqliteStore {
    fn order<'a>(
        &'a self,
        whose: &'a Whose,
        id: &'a OrderId,
    ) -> BoxFuture<'a, Result<Option<Order>, StoreError>> {
        let whose = whose.clone();
        let id = id.clone();
        Box::pin(self.read(move |db| orders::one(db, &whose, &id)))
    }

    fn latest_order<'a>(
        &'a self,
        whose: &'a Whose,
        id: &'a OrderId,
    ) -> BoxFuture<'a, Result<Option<Order>, StoreError>> {
        self.order(whose, id)
    }

    fn orders(&self, query: OrderQuery) -> BoxFuture<'_, Result<Page<Order>, StoreError>> {
        Box::pin(self.read(move |db| orders::list(db, &query)))
    }

    fn notifications(
        &self,
        query: NotificationQuery,
    ) -> BoxFuture<'_, Result<(Page<Notification>, u64), StoreError>> {
        Box::pin(self.read(move |db| notifications::list(db, &query)))
    }

    fn payment<'a>(
        &'a self,
        razorpay_order_id: &'a str,
    ) -> BoxFuture<'a, Result<Option<Payment>, StoreError>> {
        let id = razorpay_order_id.to_owned();
        Box::pin(self.read(move |db| payments::one(db, &id)))
    }

    fn own_payment<'a>(
        &'a self,
        customer: &'a UserId,
        razorpay_order_id: &'a str,
    ) -> BoxFuture<'a, Result<Option<Payment>, StoreError>> {
        let customer = customer.clone();
        let id = razorpay_order_id.to_owned();
        Box::pin(self.read(move |db| payments::own(db, &customer, &id)))
    }

    fn standing_payments<'a>(
        &'a self,
        order: &'a OrderId,
    ) -> BoxFuture<'a, Result<StandingPayments, StoreError>> {
        let order = order.clone();
        Box::pin(self.read(move |db| payments::standing(db, &order)))
    }

    fn payments(&self, query: PaymentQuery) -> BoxFuture<'_, Result<Page<Payment>, StoreError>> {
        Box::pin(self.read(move |db| payments::list(db, query)))
    }

    fn idempotency_state<'a>(
        &'a self,
        claim: &'a IdempotencyClaim,
    ) -> BoxFuture<'a, Result<IdempotencyState, StoreError>> {
        let claim = claim.clone();
        Box::pin(self.read(move |db| idempotency::idempotency_state(db, &claim)))
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
        Box::pin(self.mark_one(user.clone(), id, keyed))
    }

    fn read_all<'a>(
        &'a self,
        user: &'a UserId,
        keyed: Option<Keyed<u64>>,
    ) -> BoxFuture<'a, Result<u64, CommitError>> {
        Box::pin(self.mark_all(user.clone(), keyed))
    }

    fn set_tailor_status(
        &self,
        status: TailorStatus,
        keyed: Option<Keyed<TailorStatus>>,
    ) -> BoxFuture<'_, Result<(), CommitError>> {
        Box::pin(self.store_tailor_status(status, keyed))
    }

    fn ping(&self) -> BoxFuture<'_, Result<Option<&'static str>, StoreError>> {
        Box::pin(async move {
            self.writer.probe().await.map_err(from_probe)?;
            Ok(None)
        })
    }

    fn obstacle(&self) -> Option<WriteObstacle> {
        self.writer.obstacle()
    }

    fn inspect(&self) -> BoxFuture<'_, ()> {
        // The writer logs what it finds.
        Box::pin(async move { drop(self.writer.probe().await) })
    }

    fn name(&self) -> &'static str {
        "The store"
    }

    fn close(&self) -> BoxFuture<'_, ()> {
        Box::pin(async move {
            let head = *self.log.changes().borrow();
            let reads = self.log.reads();
            tracing::info!(
                "log: {head} entries so far, {reads} reads of the database since the start"
            );
            // The writer last: the log and the readers use its file.
            self.log.close().await;
            self.readers.close().await;
            self.writer.close().await;
        })
    }
}

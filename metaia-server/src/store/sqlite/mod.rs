//! The embedded store: one SQLite file, one writer with group commit.

mod claims;
mod events;
mod fault;
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
    Limits, MemoryLog, OrderId, UserId,
    sqlite::{OpenError, Options, Readers, Writer},
};
use rusqlite::Connection;

use self::{
    events::Feed,
    fault::{Fault, of_read, of_write},
};
use super::{
    Answer, Change, Claim, CommitError, NotificationQuery, OrderQuery, PaymentKey, Recall, Store, StoreError,
};
use crate::model::{Notification, NotificationId, Order, Page, Payment, TailorStatus};

/// How many reads run at once.
const READERS: usize = 4;

/// The embedded store. A handle: `clone` is cheap and shares the database.
#[derive(Debug, Clone)]
pub struct SqliteStore {
    writer: Writer,
    readers: Readers,
    feed: Feed,
    entry_bytes: usize,
}

/// Why the store cannot be opened.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpenStoreError {
    /// The database cannot be opened.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// The database is open, but its events cannot be read.
    #[error("the events of the store cannot be read")]
    Read(#[source] StoreError),
}

impl SqliteStore {
    /// Opens or creates the database. What is committed is fed to `log`, which nobody else may append to.
    ///
    /// # Errors
    /// See [`OpenStoreError`].
    pub async fn open(
        path: impl Into<PathBuf>,
        options: Options,
        log: MemoryLog,
        limits: &Limits,
    ) -> Result<Self, OpenStoreError> {
        let writer = Writer::open(path.into(), options, schema::MIGRATIONS).await?;
        let readers = writer.readers(READERS);
        let head = readers.read(events::head).await.map_err(|error| OpenStoreError::Read(of_read(error)))?;
        let feed = Feed::begin(log, head).await;
        let feed = feed.map_err(|error| OpenStoreError::Read(StoreError::Unavailable(error.into())))?;
        Ok(Self { writer, readers, feed, entry_bytes: limits.entry_bytes })
    }

    async fn read<T, F>(&self, work: F) -> Result<T, StoreError>
    where
        F: FnOnce(&Connection) -> Result<T, Fault> + Send + 'static,
        T: Send + 'static,
    {
        self.readers.read(work).await.map_err(of_read)
    }
}

impl Store for SqliteStore {
    fn order<'a>(&'a self, id: &'a OrderId) -> BoxFuture<'a, Result<Option<Order>, StoreError>> {
        let id = id.clone();
        Box::pin(self.read(move |db| orders::one(db, &id)))
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

    fn payment(&self, key: PaymentKey) -> BoxFuture<'_, Result<Option<Payment>, StoreError>> {
        Box::pin(self.read(move |db| payments::one(db, &key)))
    }

    fn recall<'a>(&'a self, claim: &'a Claim) -> BoxFuture<'a, Result<Recall, StoreError>> {
        let claim = claim.clone();
        Box::pin(self.read(move |db| claims::recall(db, &claim)))
    }

    fn commit(&self, change: Change) -> BoxFuture<'_, Result<Answer, CommitError>> {
        Box::pin(self.commit_change(change))
    }

    fn read_notification<'a>(
        &'a self,
        user: &'a UserId,
        id: NotificationId,
    ) -> BoxFuture<'a, Result<Option<(Notification, u64)>, StoreError>> {
        Box::pin(async move { Ok(self.mark_one(user.clone(), id).await?) })
    }

    fn read_all<'a>(&'a self, user: &'a UserId) -> BoxFuture<'a, Result<u64, StoreError>> {
        Box::pin(async move { Ok(self.mark_all(user.clone()).await?) })
    }

    fn set_tailor_status(&self, status: TailorStatus) -> BoxFuture<'_, Result<(), StoreError>> {
        Box::pin(async move { Ok(self.keep_tailor_status(status).await?) })
    }

    fn ping(&self) -> BoxFuture<'_, Result<(), StoreError>> {
        Box::pin(async move { Ok(self.writer.write(|_| Ok(())).await.map_err(of_write)?) })
    }

    fn close(&self) -> BoxFuture<'_, ()> {
        Box::pin(async move {
            self.readers.close().await;
            self.writer.close().await;
        })
    }
}

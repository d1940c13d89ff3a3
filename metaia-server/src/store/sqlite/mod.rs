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

use std::path::PathBuf;

use futures_util::future::BoxFuture;
use metaia_realtime::{
    EventError, Limits, MemoryLog, NewEntry, OrderId, Receipt, UserId,
    event::{NewNotification, NotificationRead, ReadNotifications, TailorStatusUpdate},
    sqlite::{OpenError, Options, Readers, Writer},
};
use rusqlite::{Connection, params};

use self::{
    events::Feed,
    fault::{Fault, of_read, of_write},
};
use super::{
    Answer, Change, Claim, CommitError, NotificationQuery, OrderQuery, PaymentKey, Recall, Store, StoreError,
    Write,
};
use crate::model::{Notification, NotificationId, Order, Page, Payment, TailorStatus, Timestamp};

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

/// What a transaction did, on its way to the log and to the caller.
struct Done<T> {
    answer: T,
    events: Vec<NewEntry>,
    receipts: Vec<Receipt>,
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

    /// One transaction: `work` writes records and says which events they make, the events become rows beside them, and
    /// `finish` makes the answer of both. After the commit the events go into the log.
    async fn transact<W, T, F, G>(&self, work: F, finish: G) -> Result<T, CommitError>
    where
        F: FnOnce(&Connection) -> Result<(W, Vec<NewEntry>), Fault> + Send + 'static,
        G: FnOnce(&Connection, W, &[Receipt]) -> Result<T, Fault> + Send + 'static,
        T: Clone + Send + 'static,
        W: 'static,
    {
        let (feed, publisher) = (self.feed.clone(), self.feed.clone());
        let transaction = move |db: &rusqlite::Savepoint<'_>| {
            let (made, events) = work(db)?;
            let receipts = feed.write(db, &events)?;
            let answer = finish(db, made, &receipts)?;
            Ok(Done { answer, events, receipts })
        };
        let after = move |done: &Done<T>| publisher.publish(&done.events, &done.receipts);
        let done = self.writer.write_then(transaction, after).await.map_err(of_write)?;
        Ok(done.answer)
    }

    async fn commit_change(&self, change: Change) -> Result<Answer, CommitError> {
        let Change { writes, events, claim, reply } = change;
        if let Some(size) = events.iter().map(NewEntry::size).find(|size| *size > self.entry_bytes) {
            return Err(CommitError::Event(EventError::TooLarge { size, limit: self.entry_bytes }));
        }
        let work = move |db: &Connection| {
            writes.iter().try_for_each(|write| apply(db, write))?;
            Ok(((), events))
        };
        let finish = move |db: &Connection, (), receipts: &[Receipt]| {
            let answer = reply(receipts);
            claim.map(|claim| claims::keep(db, &claim, &answer)).transpose()?;
            Ok(answer)
        };
        self.transact(work, finish).await
    }

    async fn mark_one(
        &self,
        user: UserId,
        id: NotificationId,
    ) -> Result<Option<(Notification, u64)>, CommitError> {
        let work = move |db: &Connection| {
            let marked = notifications::mark_read(db, &user, Some(id))?;
            let unread = notifications::count_unread(db, &user)?;
            let which = ReadNotifications::Ids { ids: vec![id.to_string()] };
            let events = read_events(&user, marked, which, unread)?;
            let own = notifications::own(db, &user, id)?;
            Ok((own.map(|own| (own, unread)), events))
        };
        self.transact(work, |_, own, _| Ok(own)).await
    }

    async fn mark_all(&self, user: UserId) -> Result<u64, CommitError> {
        let work = move |db: &Connection| {
            let marked = notifications::mark_read(db, &user, None)?;
            let events = read_events(&user, marked, ReadNotifications::All { all: true }, 0)?;
            Ok((marked, events))
        };
        self.transact(work, |_, marked, _| Ok(marked)).await
    }

    async fn keep_tailor_status(&self, new: TailorStatus) -> Result<(), CommitError> {
        let work = move |db: &Connection| {
            let sql = "INSERT INTO tailor_status (tailor, status, at) VALUES (?1, ?2, ?3)
                ON CONFLICT (tailor) DO UPDATE SET status = ?2, at = ?3";
            let name = row::name_of(&new.status);
            db.prepare_cached(sql)?.execute(params![new.tailor.as_str(), name, new.at.ms()])?;
            let rooms = TailorStatusUpdate::rooms(&orders::open_of(db, &new.tailor)?);
            let event = NewEntry::event(rooms, &new.document()).map_err(Fault::Event)?;
            Ok(((), vec![event]))
        };
        self.transact(work, |_, (), _| Ok(())).await
    }
}

fn apply(db: &Connection, write: &Write) -> Result<(), Fault> {
    match write {
        Write::NewOrder(order) => orders::insert(db, order),
        Write::Order(order) => orders::update(db, order),
        Write::NewNotification(notification) => notifications::insert(db, notification),
        Write::NewPayment(payment) => payments::insert(db, payment),
        Write::Payment { payment, from } => payments::update(db, payment, *from),
        Write::ProviderEvent(id) => payments::see_event(db, id, Timestamp::now()),
    }
}

/// `notification_read`, where anything was marked.
fn read_events(
    user: &UserId,
    marked: u64,
    which: ReadNotifications,
    unread_count: u64,
) -> Result<Vec<NewEntry>, Fault> {
    if marked == 0 {
        return Ok(Vec::new());
    }
    let event = NotificationRead { which, unread_count };
    Ok(vec![NewEntry::event(NewNotification::rooms(user), &event).map_err(Fault::Event)?])
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

//! The transaction that every write to this store goes through: records, their events, and the
//! reply.

use metaia_realtime::{NewEntry, PublishReceipt, UserId, log::sqlite::Appended};
use rusqlite::{Connection, Savepoint, params};

use super::{
    SqliteStore,
    fault::{Fault, from_write},
    idempotency, notifications, orders, payments,
};
use crate::{
    model::{Notification, NotificationId, TailorStatus, Timestamp},
    store::{Change, CommitError, Keyed, StoredReply, Write, events, name_of},
};

/// The result of a transaction, for its caller and for the readers of the log.
struct Committed<T> {
    result: T,
    appended: Appended,
}

impl SqliteStore {
    /// Runs one transaction: `work` writes records and returns their events, the events are
    /// appended to the log, and `finish` makes the result of both. The readers of the log are
    /// notified after the commit.
    async fn transact<W, T, F, G>(&self, work: F, finish: G) -> Result<T, CommitError>
    where
        F: FnOnce(&Connection) -> Result<(W, Vec<NewEntry>), Fault> + Send + 'static,
        G: FnOnce(&Connection, W, &[PublishReceipt]) -> Result<T, Fault> + Send + 'static,
        T: Send + 'static,
        W: 'static,
    {
        let log = self.log.clone();
        let transaction = move |db: &Savepoint<'_>| {
            let (written, events) = work(db)?;
            let appended = log.append_in(db, &events)?;
            let result = finish(db, written, &receipts(&events, &appended))?;
            Ok(Committed { result, appended })
        };
        let log = self.log.clone();
        let notify = move |committed: &Committed<T>| log.committed(&committed.appended);
        let written = self.writer.write_then(transaction, notify).await;
        Ok(written.map_err(from_write)?.result)
    }

    pub(super) async fn commit_change(&self, change: Change) -> Result<StoredReply, CommitError> {
        change.require_size(self.entry_bytes)?;
        let Change {
            writes,
            events,
            claim,
            reply,
        } = change;
        let work = move |db: &Connection| {
            for write in &writes {
                apply(db, write)?;
            }
            Ok(((), events))
        };
        let finish = move |db: &Connection, (), receipts: &[PublishReceipt]| {
            let reply = reply(receipts);
            if let Some(claim) = claim {
                idempotency::insert(db, &claim, &reply)?;
            }
            Ok(reply)
        };
        self.transact(work, finish).await
    }

    pub(super) async fn mark_one(
        &self,
        user: UserId,
        id: NotificationId,
        keyed: Option<Keyed<(Notification, u64)>>,
    ) -> Result<Option<(Notification, u64)>, CommitError> {
        let work = move |db: &Connection| {
            let marked = notifications::mark_read(db, &user, Some(id))?;
            let unread = notifications::count_unread(db, &user)?;
            let mut events = Vec::new();
            if marked > 0 {
                events.push(events::read_one(&user, id, unread).map_err(Fault::Event)?);
            }
            let own = notifications::own(db, &user, id)?;
            Ok((own.map(|own| (own, unread)), events))
        };
        let finish = move |db: &Connection, own: Option<_>, _: &[PublishReceipt]| {
            if let Some(own) = &own {
                claim(db, keyed.as_ref(), own)?;
            }
            Ok(own)
        };
        self.transact(work, finish).await
    }

    pub(super) async fn mark_all(
        &self,
        user: UserId,
        keyed: Option<Keyed<u64>>,
    ) -> Result<u64, CommitError> {
        let work = move |db: &Connection| {
            let marked = notifications::mark_read(db, &user, None)?;
            let mut events = Vec::new();
            if marked > 0 {
                events.push(events::read_all(&user, 0).map_err(Fault::Event)?);
            }
            Ok((marked, events))
        };
        let finish = move |db: &Connection, marked: u64, _: &[PublishReceipt]| {
            claim(db, keyed.as_ref(), &marked)?;
            Ok(marked)
        };
        self.transact(work, finish).await
    }

    pub(super) async fn store_tailor_status(
        &self,
        new: TailorStatus,
        keyed: Option<Keyed<TailorStatus>>,
    ) -> Result<(), CommitError> {
        let work = move |db: &Connection| {
            let sql = "INSERT INTO tailor_status (tailor, status, at) VALUES (?1, ?2, ?3)
                ON CONFLICT (tailor) DO UPDATE SET status = ?2, at = ?3";
            let name = name_of(&new.status);
            db.prepare_cached(sql)?
                .execute(params![new.tailor.as_str(), name, new.at.ms()])?;
            let under_way = orders::under_way(db, &new.tailor)?;
            let event = events::tailor_status(&new, &under_way).map_err(Fault::Event)?;
            Ok((new, vec![event]))
        };
        let finish = move |db: &Connection, new: TailorStatus, _: &[PublishReceipt]| {
            claim(db, keyed.as_ref(), &new)
        };
        self.transact(work, finish).await
    }
}

/// Stores the reply to a result under its idempotency key, if there is one.
fn claim<T>(db: &Connection, keyed: Option<&Keyed<T>>, result: &T) -> Result<(), Fault> {
    let Some(keyed) = keyed else {
        return Ok(());
    };
    let (claim, reply) = keyed.reply_to(result);
    idempotency::insert(db, claim, &reply)
}

fn receipts(events: &[NewEntry], appended: &Appended) -> Vec<PublishReceipt> {
    let positions = appended.positions().iter().copied();
    events
        .iter()
        .zip(positions)
        .map(|(event, position)| PublishReceipt {
            id: event.id(),
            position,
        })
        .collect()
}

fn apply(db: &Connection, write: &Write) -> Result<(), Fault> {
    match write {
        Write::NewOrder(order) => orders::insert(db, order),
        Write::Order(order) => orders::update(db, order),
        Write::OrderAsRead { order, version } => orders::require(db, order, *version),
        Write::NewNotification(notification) => notifications::insert(db, notification),
        Write::NewPayment(payment) => payments::insert(db, payment),
        Write::Payment { payment, from } => payments::update(db, payment, *from),
        Write::ProviderEvent(id) => payments::insert_event(db, id, Timestamp::now()),
    }
}

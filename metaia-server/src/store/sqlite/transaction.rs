//! One transaction: records, the events that tell of them, and the answer.
//!
//! There is no other way to write to this store.

use metaia_realtime::{NewEntry, PublishReceipt, UserId, log::sqlite::Appended};
use rusqlite::{Connection, Savepoint, params};

use super::{
    SqliteStore, claims,
    fault::{Fault, of_write},
    notifications, orders, payments,
};
use crate::{
    model::{Notification, NotificationId, TailorStatus, Timestamp},
    store::{Answer, Change, CommitError, Write, events, name_of},
};

/// What a transaction did, on its way to those who wait for events and to the caller.
struct Done<T> {
    answer: T,
    appended: Appended,
}

impl SqliteStore {
    /// One transaction: `work` writes records and says which events they make, the events go into
    /// the log, and `finish` makes the answer of both. Whoever waits for events is told after the
    /// commit.
    async fn transact<W, T, F, G>(&self, work: F, finish: G) -> Result<T, CommitError>
    where
        F: FnOnce(&Connection) -> Result<(W, Vec<NewEntry>), Fault> + Send + 'static,
        G: FnOnce(&Connection, W, &[PublishReceipt]) -> Result<T, Fault> + Send + 'static,
        T: Send + 'static,
        W: 'static,
    {
        let (log, told) = (self.log.clone(), self.log.clone());
        let transaction = move |db: &Savepoint<'_>| {
            let (made, events) = work(db)?;
            let appended = log.append_in(db, &events)?;
            let answer = finish(db, made, &receipts(&events, &appended))?;
            Ok(Done { answer, appended })
        };
        let after = move |done: &Done<T>| told.committed(&done.appended);
        let done = self
            .writer
            .write_then(transaction, after)
            .await
            .map_err(of_write)?;
        Ok(done.answer)
    }

    pub(super) async fn commit_change(&self, change: Change) -> Result<Answer, CommitError> {
        change.require_size(self.entry_bytes)?;
        let Change {
            writes,
            events,
            claim,
            reply,
        } = change;
        let work = move |db: &Connection| {
            writes.iter().try_for_each(|write| apply(db, write))?;
            Ok(((), events))
        };
        let finish = move |db: &Connection, (), receipts: &[PublishReceipt]| {
            let answer = reply(receipts);
            claim
                .map(|claim| claims::keep(db, &claim, &answer))
                .transpose()?;
            Ok(answer)
        };
        self.transact(work, finish).await
    }

    pub(super) async fn mark_one(
        &self,
        user: UserId,
        id: NotificationId,
    ) -> Result<Option<(Notification, u64)>, CommitError> {
        let work = move |db: &Connection| {
            let marked = notifications::mark_read(db, &user, Some(id))?;
            let unread = notifications::count_unread(db, &user)?;
            let event = (marked > 0)
                .then(|| events::read_one(&user, id, unread))
                .transpose();
            let events = Vec::from_iter(event.map_err(Fault::Event)?);
            let own = notifications::own(db, &user, id)?;
            Ok((own.map(|own| (own, unread)), events))
        };
        self.transact(work, |_, own, _| Ok(own)).await
    }

    pub(super) async fn mark_all(&self, user: UserId) -> Result<u64, CommitError> {
        let work = move |db: &Connection| {
            let marked = notifications::mark_read(db, &user, None)?;
            let event = (marked > 0).then(|| events::read_all(&user, 0)).transpose();
            Ok((marked, Vec::from_iter(event.map_err(Fault::Event)?)))
        };
        self.transact(work, |_, marked, _| Ok(marked)).await
    }

    pub(super) async fn keep_tailor_status(&self, new: TailorStatus) -> Result<(), CommitError> {
        let work = move |db: &Connection| {
            let sql = "INSERT INTO tailor_status (tailor, status, at) VALUES (?1, ?2, ?3)
                ON CONFLICT (tailor) DO UPDATE SET status = ?2, at = ?3";
            let name = name_of(&new.status);
            db.prepare_cached(sql)?
                .execute(params![new.tailor.as_str(), name, new.at.ms()])?;
            let open = orders::open_of(db, &new.tailor)?;
            let event = events::tailor_status(&new, &open).map_err(Fault::Event)?;
            Ok(((), vec![event]))
        };
        self.transact(work, |_, (), _| Ok(())).await
    }
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
        Write::NewNotification(notification) => notifications::insert(db, notification),
        Write::NewPayment(payment) => payments::insert(db, payment),
        Write::Payment { payment, from } => payments::update(db, payment, *from),
        Write::ProviderEvent(id) => payments::see_event(db, id, Timestamp::now()),
    }
}

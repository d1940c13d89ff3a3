//! Notifications: stored and published in one change, listed, marked as read.

use super::{
    error::ServiceError,
    handle::Services,
    idempotency::{IdempotentReply, Once},
    permissions::{only_operators, user_of},
    reference::{self, ReadReference},
};
use crate::{
    model::{
        Caller, NewNotice, Notice, Notification, NotificationId, Page, PageRequest, Timestamp,
    },
    store::{Change, IdempotencyClaim, Keyed, NotificationQuery, StoredReply, Write},
};
use metaia_realtime::{Event as _, NewEntry, event::NewNotification};

impl Services {
    /// Notifies a user. For admins and backends. `reply` makes the reply from the notification.
    ///
    /// # Errors
    /// See [`ServiceError`].
    pub async fn notify(
        &self,
        caller: &Caller,
        key: Option<&str>,
        new: NewNotice,
        reply: fn(&Notification) -> StoredReply,
    ) -> Result<IdempotentReply, ServiceError> {
        only_operators(caller)?;
        let notice = new.clone().validated().map_err(ServiceError::Invalid)?;
        let work = |claim| async move {
            let notification = Notification::new(notice, Timestamp::now());
            let mut change = Change::replying(reply(&notification));
            change.claim = claim;
            add(&mut change, notification)?;
            Ok(self.store().commit(change).await?)
        };
        self.idempotently(caller, "POST /api/notifications", key, &new, work)
            .await
    }

    /// Returns a page of the caller's notifications, newest first, and the number of all unread
    /// ones.
    ///
    /// # Errors
    /// See [`ServiceError`].
    pub async fn notifications(
        &self,
        caller: &Caller,
        unread: bool,
        since: Option<Timestamp>,
        page: PageRequest,
    ) -> Result<(Page<Notification>, u64), ServiceError> {
        let (user, _) = user_of(caller)?;
        let query = NotificationQuery {
            user: user.clone(),
            unread,
            since,
            page,
        };
        Ok(self.store().notifications(query).await?)
    }

    /// Marks one of the caller's notifications as read. `reply` makes the reply from it and from
    /// the number of unread ones.
    ///
    /// # Errors
    /// See [`ServiceError`].
    pub async fn read_notification(
        &self,
        caller: &Caller,
        key: Option<&str>,
        id: NotificationId,
        reply: fn(&(Notification, u64)) -> StoredReply,
    ) -> Result<IdempotentReply, ServiceError> {
        let (user, _) = user_of(caller)?;
        let work = |claim: Option<IdempotencyClaim>| async move {
            let reply = ReadReference::stored;
            let keyed = claim.map(|claim| Keyed { claim, reply });
            let read = self.store().read_notification(user, id, keyed).await?;
            read.ok_or(ServiceError::NotFound)
        };
        let route = "PUT /api/notifications/:id/read";
        let stored = match self.once(caller, route, key, &id, work).await? {
            Once::First(read) => return Ok(IdempotentReply::first(reply(&read))),
            Once::Before(stored) => stored,
        };
        let then: ReadReference = reference::read(&stored)?;
        // It is read already, so that nothing is marked now.
        let read = self
            .store()
            .read_notification(user, then.notification, None);
        let (notification, _) = read.await?.ok_or(ServiceError::NotFound)?;
        let again = (notification, then.unread_count);
        Ok(IdempotentReply::again(reply(&again)))
    }

    /// Marks all of the caller's notifications as read. `reply` makes the reply from the number of
    /// those that were unread.
    ///
    /// # Errors
    /// See [`ServiceError`].
    pub async fn read_all(
        &self,
        caller: &Caller,
        key: Option<&str>,
        reply: fn(u64) -> StoredReply,
    ) -> Result<IdempotentReply, ServiceError> {
        let (user, _) = user_of(caller)?;
        let work = |claim: Option<IdempotencyClaim>| async move {
            let reply = reference::stored_count;
            let keyed = claim.map(|claim| Keyed { claim, reply });
            Ok(self.store().read_all(user, keyed).await?)
        };
        let route = "PUT /api/notifications/read-all";
        Ok(match self.once(caller, route, key, &(), work).await? {
            Once::First(marked) => IdempotentReply::first(reply(marked)),
            Once::Before(stored) => IdempotentReply::again(reply(reference::read(&stored)?)),
        })
    }
}

/// Adds notifications to a change: their records, and their events after those of the change.
pub(super) fn add_notices(
    change: &mut Change,
    notices: impl IntoIterator<Item = Notice>,
    now: Timestamp,
) -> Result<(), ServiceError> {
    for notice in notices {
        add(change, Notification::new(notice, now))?;
    }
    Ok(())
}

fn add(change: &mut Change, notification: Notification) -> Result<(), ServiceError> {
    let rooms = NewNotification::rooms(&notification.notice.user);
    let event = NewEntry::event(rooms, (NewNotification::NAME, &notification))?;
    change.writes.push(Write::NewNotification(notification));
    change.events.push(event);
    Ok(())
}

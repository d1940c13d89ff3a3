//! Notifications: stored and published in one change, listed, marked as read.

use super::{
    error::ServiceError,
    handle::Services,
    idempotency::IdempotentReply,
    permissions::{only_operators, user_of},
};
use crate::{
    model::{
        Caller, NewNotice, Notice, Notification, NotificationId, Page, PageRequest, Timestamp,
    },
    store::{Change, NotificationQuery, StoredReply, Write},
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

    /// Marks one of the caller's notifications as read. Returns it, and the number of unread ones.
    ///
    /// # Errors
    /// See [`ServiceError`].
    pub async fn read_notification(
        &self,
        caller: &Caller,
        id: NotificationId,
    ) -> Result<(Notification, u64), ServiceError> {
        let (user, _) = user_of(caller)?;
        self.store()
            .read_notification(user, id)
            .await?
            .ok_or(ServiceError::NotFound)
    }

    /// Marks all of the caller's notifications as read. Returns how many were unread.
    ///
    /// # Errors
    /// See [`ServiceError`].
    pub async fn read_all(&self, caller: &Caller) -> Result<u64, ServiceError> {
        let (user, _) = user_of(caller)?;
        Ok(self.store().read_all(user).await?)
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

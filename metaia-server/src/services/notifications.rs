//! Notifications: told and kept in one act, listed, marked as read.

use metaia_realtime::{Event as _, NewEntry, event::NewNotification};
use serde::Serialize;

use super::{Outcome, ServiceError, Services, only_operators, user_of};
use crate::{
    model::{
        Caller, NewNotice, Notice, Notification, NotificationId, Page, PageRequest, Timestamp,
    },
    store::{Answer, Change, NotificationQuery, Write},
};

impl Services {
    /// Notifies somebody, by an admin or a backend.
    ///
    /// # Errors
    /// See [`ServiceError`].
    pub async fn notify(
        &self,
        caller: &Caller,
        key: Option<&str>,
        new: NewNotice,
    ) -> Result<Outcome, ServiceError> {
        only_operators(caller)?;
        let notice = new.clone().validated().map_err(ServiceError::Invalid)?;
        let work = |claim| async move {
            let notification = Notification::new(notice, Timestamp::now());
            let mut change = Change::answering(showing(&notification, 201));
            change.claim = claim;
            add(&mut change, notification)?;
            Ok(self.store().commit(change).await?)
        };
        self.once(caller, "POST /api/notifications", key, &new, work)
            .await
    }

    /// The caller's notifications, newest first, and how many of all are unread.
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

    /// Marks one of the caller's notifications as read. Answers it, and how many are unread now.
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

    /// Marks all of the caller's notifications as read. Answers how many were unread.
    ///
    /// # Errors
    /// See [`ServiceError`].
    pub async fn read_all(&self, caller: &Caller) -> Result<u64, ServiceError> {
        let (user, _) = user_of(caller)?;
        Ok(self.store().read_all(user).await?)
    }
}

/// Adds notifications to a change: as records, and as events after those that it has.
pub(super) fn tell(
    change: &mut Change,
    notices: impl IntoIterator<Item = Notice>,
    now: Timestamp,
) -> Result<(), ServiceError> {
    notices
        .into_iter()
        .try_for_each(|notice| add(change, Notification::new(notice, now)))
}

fn add(change: &mut Change, notification: Notification) -> Result<(), ServiceError> {
    let rooms = NewNotification::rooms(&notification.notice.user);
    let event = NewEntry::event(rooms, (NewNotification::NAME, notification.document()))?;
    change.writes.push(Write::NewNotification(notification));
    change.events.push(event);
    Ok(())
}

fn showing(notification: &Notification, status: u16) -> Answer {
    /// `{"notification": …}`
    #[derive(Serialize)]
    struct Shown {
        notification: metaia_realtime::event::Notification,
    }
    Answer::success(
        status,
        Shown {
            notification: notification.document(),
        },
    )
}

//! The events that stores build themselves, from the records that they find.

use metaia_realtime::{
    Event as _, NewEntry, OrderId, UserId,
    event::{EventError, NewNotification, NotificationRead, ReadNotifications, TailorStatusUpdate},
    planted_faults::{Fault, planted},
};

use crate::model::{NotificationId, TailorStatus};

/// Returns the `notification_read` of one notification.
pub(super) fn read_one(
    user: &UserId,
    id: NotificationId,
    unread: u64,
) -> Result<NewEntry, EventError> {
    let ids = vec![id.to_string()];
    read(user, ReadNotifications::Ids { ids }, unread)
}

/// Returns the `notification_read` of all notifications of a user.
pub(super) fn read_all(user: &UserId, unread: u64) -> Result<NewEntry, EventError> {
    read(user, ReadNotifications::All { all: true }, unread)
}

fn read(
    user: &UserId,
    which: ReadNotifications,
    unread_count: u64,
) -> Result<NewEntry, EventError> {
    let payload = NotificationRead {
        which,
        unread_count: unread_count + u64::from(planted(Fault::UnreadCountWrong)),
    };
    if planted(Fault::ReadUntold) {
        return NewEntry::event([], &payload);
    }
    NewEntry::event(NewNotification::rooms(user), &payload)
}

/// Returns the `tailor_status_update` to the admins and to the rooms of these orders.
pub(super) fn tailor_status(
    status: &TailorStatus,
    orders: &[OrderId],
) -> Result<NewEntry, EventError> {
    if planted(Fault::TailorStatusUntold) {
        return NewEntry::event([], (TailorStatusUpdate::NAME, status));
    }
    NewEntry::event(
        TailorStatusUpdate::rooms(orders),
        (TailorStatusUpdate::NAME, status),
    )
}

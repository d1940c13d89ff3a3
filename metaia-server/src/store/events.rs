//! The events that stores make by themselves, out of what they find.

use metaia_realtime::{
    NewEntry, OrderId, UserId,
    event::{EventError, NewNotification, NotificationRead, ReadNotifications, TailorStatusUpdate},
};

use crate::model::{NotificationId, TailorStatus};

/// `notification_read` of one.
pub(super) fn read_one(
    user: &UserId,
    id: NotificationId,
    unread: u64,
) -> Result<NewEntry, EventError> {
    read(
        user,
        ReadNotifications::Ids {
            ids: vec![id.to_string()],
        },
        unread,
    )
}

/// `notification_read` of all.
pub(super) fn read_all(user: &UserId, unread: u64) -> Result<NewEntry, EventError> {
    read(user, ReadNotifications::All { all: true }, unread)
}

fn read(
    user: &UserId,
    which: ReadNotifications,
    unread_count: u64,
) -> Result<NewEntry, EventError> {
    NewEntry::event(
        NewNotification::rooms(user),
        &NotificationRead {
            which,
            unread_count,
        },
    )
}

/// `tailor_status_update`, to the admins and the rooms of the orders that are open for the tailor.
pub(super) fn tailor_status(
    status: &TailorStatus,
    open: &[OrderId],
) -> Result<NewEntry, EventError> {
    NewEntry::event(TailorStatusUpdate::rooms(open), &status.document())
}

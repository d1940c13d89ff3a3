//! Notifications as documents.

use metaia_realtime::event::NotificationKind;
use mongodb::bson::{Bson, Document, doc, oid::ObjectId};

use super::{
    NOTIFICATIONS, Unreadable,
    value::{created_at_in, date, id, id_in, named, parsed, text, user_in},
};
use crate::{
    model::{Notice, Notification},
    store::name_of,
};

/// Returns the document of a notification.
pub(in super::super) fn notification_document(new: &Notification) -> Document {
    let Notice {
        user,
        kind,
        title,
        message,
        order,
    } = &new.notice;
    let mut document = doc! {
        "_id": ObjectId::from_bytes(new.id.to_bytes()),
        "user": id(user.as_str()),
        "type": name_of(kind),
        "title": title,
        "message": message,
        "read": new.read,
        "createdAt": date(new.created_at),
    };
    if let Some(order) = order {
        document.insert("relatedOrder", id(order.as_str()));
    }
    document
}

/// Returns the update that marks a notification as read.
pub(in super::super) fn mark_read_update() -> Document {
    doc! { "$set": { "read": true } }
}

/// Returns the condition that a notification is unread: `read` is false or missing.
pub(in super::super) fn unread_in() -> Bson {
    doc! { "$in": [false, null] }.into()
}

/// Reads a notification out of a document.
pub(in super::super) fn notification_in(document: &Document) -> Result<Notification, Unreadable> {
    let unreadable = |what| Unreadable::new(NOTIFICATIONS, document, what);
    let notice = Notice {
        user: user_in(document, "user").ok_or_else(|| unreadable("it has no user"))?,
        kind: named(document, "type").unwrap_or(NotificationKind::System),
        title: text(document, "title").unwrap_or_default().to_owned(),
        message: text(document, "message").unwrap_or_default().to_owned(),
        order: parsed(document, "relatedOrder"),
    };
    let read = match document.get("read") {
        Some(Bson::Boolean(read)) => *read,
        Some(Bson::Null) | None => false,
        Some(_) => return Err(unreadable("its read is not a boolean")),
    };
    Ok(Notification {
        id: id_in(document).ok_or_else(|| unreadable("its id is not that of a notification"))?,
        notice,
        read,
        created_at: created_at_in(document).ok_or_else(|| unreadable("it has no creation time"))?,
    })
}

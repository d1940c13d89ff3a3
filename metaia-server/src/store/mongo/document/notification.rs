//! Notifications as documents.

use metaia_realtime::event::NotificationKind;
use mongodb::bson::{Bson, Document, doc, oid::ObjectId};

use super::{
    NOTIFICATIONS, Unreadable,
    value::{date, hex, id, made, named, parsed, text, user_in},
};
use crate::{
    model::{Notice, Notification},
    store::name_of,
};

/// The document of a notification.
pub(in super::super) fn notification_of(new: &Notification) -> Document {
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

/// What marking it as read changes.
pub(in super::super) fn notification_set() -> Document {
    doc! { "$set": { "read": true } }
}

/// Matches what is not read: says so, or says nothing.
pub(in super::super) fn unread_in() -> Bson {
    doc! { "$in": [false, null] }.into()
}

/// The notification that a document is.
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
        Some(_) => return Err(unreadable("it does not say whether it was read")),
    };
    Ok(Notification {
        id: hex(document).ok_or_else(|| unreadable("its id is none of a notification"))?,
        notice,
        read,
        created_at: made(document).ok_or_else(|| unreadable("it does not say when it was made"))?,
    })
}

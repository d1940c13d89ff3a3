//! What is asked of the database: out of validated values only, each of the type that it is stored
//! as.

use mongodb::bson::{Bson, DateTime, Document, doc, oid::ObjectId};

use super::document::{date, either, unread_in};
use crate::{
    model::{Cursor, OrderStatus, Timestamp},
    store::{NotificationQuery, OrderQuery, Whose},
};

/// The year 10000, from where on there is no [`Timestamp`].
const END: DateTime = DateTime::from_millis(253_402_300_800_000);

/// The records of lists, newest first, and by id where they are of one millisecond.
pub(super) fn newest_first() -> Document {
    doc! { "createdAt": -1, "_id": -1 }
}

/// A page of orders, and what is newer than its end.
pub(super) fn orders(query: &OrderQuery) -> Document {
    let mut filter = match &query.whose {
        Whose::All => doc! {},
        Whose::Customer(user) => doc! { "customer": either(user.as_str()) },
        Whose::Tailor(user) => doc! { "tailor": either(user.as_str()) },
        Whose::Courier(user) => doc! { "deliveryPartner": either(user.as_str()) },
    };
    if let Some(status) = query.status {
        filter.insert("status", status.as_str());
    }
    filter.extend(listable(None, query.page.cursor));
    filter
}

/// A page of notifications, and what is newer than its end.
pub(super) fn notifications(query: &NotificationQuery) -> Document {
    let mut filter = doc! { "user": either(query.user.as_str()) };
    if query.unread {
        filter.insert("read", unread_in());
    }
    filter.extend(listable(query.since, query.page.cursor));
    filter
}

/// What has a place in a list: an id that cursors can name, and a time that they can.
fn listable(since: Option<Timestamp>, after: Option<Cursor>) -> Document {
    let since = since.map_or(DateTime::from_millis(0), date);
    // A list of dates would pass as each of them.
    let mut filter = doc! { "_id": { "$type": "objectId" }, "createdAt.0": { "$exists": false } };
    match after.and_then(|cursor| Some((date(cursor.at()), ObjectId::parse_str(cursor.id()).ok()?)))
    {
        None => _ = filter.insert("createdAt", doc! { "$gte": since, "$lt": END }),
        Some((at, id)) => {
            filter.insert("createdAt", doc! { "$gte": since, "$lte": at });
            let rest = [
                doc! { "createdAt": { "$lt": at } },
                doc! { "createdAt": at, "_id": { "$lt": id } },
            ];
            filter.insert("$or", rest.to_vec());
        }
    }
    filter
}

/// The unread ones of users, as far as they can be marked.
pub(super) fn unread_of(users: Bson) -> Document {
    doc! { "user": users, "read": unread_in(), "_id": { "$type": "objectId" } }
}

/// The orders that are open for any of these tailors.
pub(super) fn open_for<'a>(tailors: impl Iterator<Item = &'a str>) -> Document {
    let open = OrderStatus::ALL
        .into_iter()
        .filter(|status| !status.is_final());
    let open: Vec<&str> = open.map(OrderStatus::as_str).collect();
    doc! { "tailor": super::document::any_of(tailors), "status": { "$in": open } }
}

/// The payments of orders that are open or completed.
pub(super) fn standing(orders: Bson) -> Document {
    doc! { "order": orders, "status": { "$in": ["created", "completed"] } }
}

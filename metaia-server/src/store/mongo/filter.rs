//! Filters of queries. They are built only from validated values, each of the type in which it is
//! stored.

use metaia_realtime::{OrderId, UserId};
use mongodb::{
    bson::{Bson, DateTime, Document, doc, oid::ObjectId},
    options::Hint,
};

use super::document::{date, id, id_or_text, unread_in};
use crate::{
    model::{Cursor, NotificationId, OrderStatus, Timestamp},
    store::{NotificationQuery, OrderQuery, PaymentQuery, Whose},
};

/// The year 10000, the first time that is no [`Timestamp`].
const END: DateTime = DateTime::from_millis(253_402_300_800_000);

/// Returns the order of lists: newest first, and by id within a millisecond.
pub(super) fn newest_first() -> Document {
    doc! { "createdAt": -1, "_id": -1 }
}

/// Returns the index of the ids, for queries of one document of a user. Without it, MongoDB may
/// search an index of users: through all documents of that user.
pub(super) fn index_of_ids() -> Hint {
    Hint::Keys(doc! { "_id": 1 })
}

/// Returns the filter of the orders after the cursor.
pub(super) fn orders(query: &OrderQuery) -> Document {
    let mut filter = orders_of(&query.whose);
    if let Some(status) = query.status {
        filter.insert("status", status.as_str());
    }
    filter.extend(listable(None, query.page.cursor));
    filter
}

fn orders_of(whose: &Whose) -> Document {
    match whose {
        Whose::All => doc! {},
        Whose::Customer(user) => doc! { "customer": id_or_text(user.as_str()) },
        Whose::Tailor(user) => doc! { "tailor": id_or_text(user.as_str()) },
        Whose::Courier(user) => doc! { "deliveryPartner": id_or_text(user.as_str()) },
    }
}

/// Returns the filter of one order, if it is one of `whose`.
pub(super) fn order(whose: &Whose, order: &OrderId) -> Document {
    let mut filter = doc! { "_id": id(order.as_str()) };
    filter.extend(orders_of(whose));
    filter
}

/// Returns the filter of a payment, if it is one of this customer, who may be called `user` as in
/// the old backend.
pub(super) fn own_payment(customer: &UserId, razorpay_order_id: &str) -> Document {
    let customer = id_or_text(customer.as_str());
    let no_id = doc! { "$not": { "$type": ["objectId", "string"] } };
    let alternatives = [
        doc! { "customer": customer.clone() },
        doc! { "customer": no_id, "user": customer },
    ];
    doc! { "razorpayOrderId": razorpay_order_id, "$or": alternatives.to_vec() }
}

/// Returns the filter of a notification, if it is one of this user.
pub(super) fn own_notification(user: &UserId, id: NotificationId) -> Document {
    let id = ObjectId::from_bytes(id.to_bytes());
    doc! { "_id": id, "user": id_or_text(user.as_str()) }
}

/// Returns the filter of the notifications after the cursor.
pub(super) fn notifications(query: &NotificationQuery) -> Document {
    let mut filter = doc! { "user": id_or_text(query.user.as_str()) };
    if query.unread {
        filter.insert("read", unread_in());
    }
    filter.extend(listable(query.since, query.page.cursor));
    filter
}

/// Returns the filter of the payments after the cursor.
pub(super) fn payments(query: PaymentQuery) -> Document {
    let mut filter = if query.flagged {
        doc! { "flagged": true }
    } else {
        doc! {}
    };
    filter.extend(listable(None, query.page.cursor));
    filter
}

/// Returns the filter of the documents that a cursor can name: by an id and a time of the right
/// types.
fn listable(since: Option<Timestamp>, after: Option<Cursor>) -> Document {
    let since = since.map_or(DateTime::from_millis(0), date);
    // MongoDB compares an array of dates like each of its elements: exclude arrays.
    let mut filter = doc! { "_id": { "$type": "objectId" }, "createdAt.0": { "$exists": false } };
    match after.and_then(date_and_id) {
        None => {
            filter.insert("createdAt", doc! { "$gte": since, "$lt": END });
        }
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

fn date_and_id(cursor: Cursor) -> Option<(DateTime, ObjectId)> {
    let id = ObjectId::parse_str(cursor.id()).ok()?;
    Some((date(cursor.at()), id))
}

/// Returns the filter of the unread notifications of users that can be marked, which need an
/// ObjectId.
pub(super) fn unread_of(users: Bson) -> Document {
    doc! { "user": users, "read": unread_in(), "_id": { "$type": "objectId" } }
}

/// Returns the filter of a tailor's orders that are under way.
pub(super) fn under_way(tailor: &str) -> Document {
    let mut under_way = OrderStatus::ALL.to_vec();
    under_way.retain(|status| status.is_under_way());
    let under_way: Vec<&str> = under_way.into_iter().map(OrderStatus::as_str).collect();
    doc! { "tailor": id_or_text(tailor), "status": { "$in": under_way } }
}

/// Returns the order of a tailor's orders: the last changed ones first.
pub(super) fn last_changed_first() -> Document {
    doc! { "updatedAt": -1, "_id": -1 }
}

/// Returns the filter of the payments of orders that are open or completed.
pub(super) fn standing(orders: Bson) -> Document {
    doc! { "order": orders, "status": { "$in": ["created", "completed"] } }
}

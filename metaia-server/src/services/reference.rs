//! References: what is stored under the idempotency key of a change of a record, in place of the
//! reply.
//!
//! A reply may have 64 KB, almost all of which never changes and is in the record. A reference has
//! what the change may have set; together with the record of any later time it gives the same reply
//! again.
//!
//! Replies to requests that create records are stored as they are: nodes of earlier versions read
//! them. No earlier version reads the keys of changes.

use metaia_realtime::{OrderId, UserId};
use serde::{Deserialize, Serialize, de::DeserializeOwned};

use super::error::ServiceError;
use crate::{
    model::{Notification, NotificationId, Order, OrderStatus, TailorStatus, Timestamp},
    store::{StoreError, StoredReply},
};

/// The status of a stored reference. Nothing reads it: the route of the request chooses the status
/// of the reply.
const STATUS: u16 = 200;

/// An order in one of its versions.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct OrderReference {
    pub(super) order: OrderId,
    version: u64,
    status: OrderStatus,
    tailor: Option<UserId>,
    delivery_partner: Option<UserId>,
    updated_at: Timestamp,
}

impl OrderReference {
    /// Returns what is stored for an order in this version.
    pub(super) fn stored(order: &Order) -> StoredReply {
        stored(&Self {
            order: order.id.clone(),
            version: order.version,
            status: order.status,
            tailor: order.tailor.clone(),
            delivery_partner: order.delivery_partner.clone(),
            updated_at: order.updated_at,
        })
    }

    /// Returns the order as it was in the version of this reference. `later` is a later version.
    pub(super) fn of(self, later: Order) -> Order {
        Order {
            version: self.version,
            status: self.status,
            tailor: self.tailor,
            delivery_partner: self.delivery_partner,
            updated_at: self.updated_at,
            ..later
        }
    }
}

/// A notification that was marked as read, and the number of unread ones then.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ReadReference {
    pub(super) notification: NotificationId,
    pub(super) unread_count: u64,
}

impl ReadReference {
    /// Returns what is stored for a notification and the number of unread ones.
    pub(super) fn stored((notification, unread_count): &(Notification, u64)) -> StoredReply {
        stored(&Self {
            notification: notification.id,
            unread_count: *unread_count,
        })
    }
}

/// Returns what is stored for the number of notifications that were marked.
pub(super) fn stored_count(marked: &u64) -> StoredReply {
    stored(marked)
}

/// Returns what is stored for the status of a tailor: all of it, which is shorter than any
/// reference.
pub(super) fn stored_tailor_status(status: &TailorStatus) -> StoredReply {
    stored(status)
}

/// Reads what was stored.
pub(super) fn read<T: DeserializeOwned>(stored: &StoredReply) -> Result<T, ServiceError> {
    let read = serde_json::from_str(&stored.body);
    read.map_err(|error| StoreError::Corrupt(error.into()).into())
}

fn stored(value: &impl Serialize) -> StoredReply {
    StoredReply {
        status: STATUS,
        // These values always serialize.
        body: serde_json::to_string(value).unwrap_or_default(),
        version: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::testing::order;

    #[test]
    fn a_reference_and_a_later_version_give_the_same_order_again() {
        let then = Order {
            version: 3,
            status: OrderStatus::Confirmed,
            tailor: Some("t1".parse().unwrap()),
            ..order()
        };
        let stored = OrderReference::stored(&then);
        assert!(stored.body.len() < 256, "{}", stored.body);
        let later = Order {
            version: 9,
            status: OrderStatus::Delivered,
            tailor: None,
            delivery_partner: Some("d1".parse().unwrap()),
            updated_at: Timestamp::now(),
            ..then.clone()
        };
        let reference: OrderReference = read(&stored).unwrap();
        assert_eq!(reference.of(later), then);
    }

    #[test]
    fn what_cannot_be_read_is_an_error() {
        let stored = StoredReply {
            status: STATUS,
            body: "{}".to_owned(),
            version: None,
        };
        let error = read::<OrderReference>(&stored).unwrap_err();
        assert_eq!(error.code(), "internal");
    }
}

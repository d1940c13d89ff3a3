//! The marketplace's own events: the original guide's four, and `notification_read`.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::Event;
use crate::{OrderId, Role, Room, UserId};

/// What a notification is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NotificationKind {
    /// An order.
    Order,
    /// A payment.
    Payment,
    /// Anything else.
    System,
}

/// A notification of one user.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Notification {
    /// Its id.
    #[serde(rename = "_id")]
    pub id: String,
    /// Whose it is.
    pub user: UserId,
    /// What it is about.
    #[serde(rename = "type")]
    pub kind: NotificationKind,
    /// The headline.
    pub title: String,
    /// The text.
    pub message: String,
    /// The order it is about, if any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub related_order: Option<OrderId>,
    /// Whether the user has read it.
    pub read: bool,
    /// When it was made: RFC 3339, UTC, milliseconds.
    pub created_at: String,
}

/// `new_notification`, to the room of its user.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct NewNotification(pub Notification);

impl Event for NewNotification {
    const NAME: &'static str = "new_notification";
}

/// `order_update`: the order document, as REST gives it. A JSON object of the embedder's own shape.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct OrderUpdate(pub Value);

impl Event for OrderUpdate {
    const NAME: &'static str = "order_update";
}

/// How far a payment is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PaymentStatus {
    /// Opened at the provider.
    Created,
    /// Paid, and the provider's signature was right.
    Completed,
    /// Refused by the provider.
    Failed,
    /// Paid back after it was completed.
    Refunded,
}

/// `payment_update`, to the customer and the admins.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PaymentUpdate {
    /// The payment.
    pub payment_id: String,
    /// The order it pays.
    pub order_id: OrderId,
    /// How far it is.
    pub status: PaymentStatus,
    /// In the minor unit of the currency (paise for INR).
    pub amount: i64,
    /// ISO 4217, for example `INR`.
    pub currency: String,
}

impl Event for PaymentUpdate {
    const NAME: &'static str = "payment_update";
}

/// Whether a tailor takes work.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TailorAvailability {
    /// Takes orders.
    Available,
    /// Works on orders, takes no more.
    Busy,
    /// Not working.
    Offline,
}

/// `tailor_status_update`, to the admins and the rooms of the tailor's open orders.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TailorStatusUpdate {
    /// The tailor.
    pub tailor_id: UserId,
    /// What they are now.
    pub status: TailorAvailability,
    /// Since when: RFC 3339, UTC, milliseconds.
    pub at: String,
}

impl Event for TailorStatusUpdate {
    const NAME: &'static str = "tailor_status_update";
}

/// Which notifications were read: some by id, or all. On the wire a member `ids`, or `all: true`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum ReadNotifications {
    /// These.
    Ids {
        /// Their ids.
        ids: Vec<String>,
    },
    /// All of the user's.
    All {
        /// Always true.
        all: bool,
    },
}

/// `notification_read`, to the room of the user: their other devices follow.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct NotificationRead {
    /// Which were read.
    #[serde(flatten)]
    pub which: ReadNotifications,
    /// How many the user has not read yet.
    pub unread_count: u64,
}

impl Event for NotificationRead {
    const NAME: &'static str = "notification_read";
}

impl NewNotification {
    /// Where it is published.
    #[must_use]
    pub fn rooms(user: &UserId) -> Vec<Room> {
        vec![Room::User(user.clone())]
    }
}

impl OrderUpdate {
    /// Where it is published. Whoever is in several of these rooms gets one copy.
    #[must_use]
    pub fn rooms(
        order: &OrderId,
        customer: &UserId,
        tailor: Option<&UserId>,
        courier: Option<&UserId>,
    ) -> Vec<Room> {
        let users = [Some(customer), tailor, courier]
            .into_iter()
            .flatten()
            .cloned()
            .map(Room::User);
        [Room::Order(order.clone()), Room::Role(Role::Admin)]
            .into_iter()
            .chain(users)
            .collect()
    }
}

impl PaymentUpdate {
    /// Where it is published.
    #[must_use]
    pub fn rooms(customer: &UserId) -> Vec<Room> {
        vec![Room::User(customer.clone()), Room::Role(Role::Admin)]
    }
}

impl TailorStatusUpdate {
    /// Where it is published.
    #[must_use]
    pub fn rooms(open_orders: &[OrderId]) -> Vec<Room> {
        let orders = open_orders.iter().cloned().map(Room::Order);
        std::iter::once(Room::Role(Role::Admin))
            .chain(orders)
            .collect()
    }
}

//! The marketplace's events: the four of the original guide, and `notification_read`.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::Event;
use crate::{
    OrderId, Role, Room, UserId,
    planted_faults::{Fault, planted},
};

/// The subject of a notification.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NotificationKind {
    /// The notification is about an order.
    Order,
    /// The notification is about a payment.
    Payment,
    /// The notification is about anything else.
    System,
}

/// A notification of one user.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Notification {
    /// The notification's id.
    #[serde(rename = "_id")]
    pub id: String,
    /// The user whom it is for.
    pub user: UserId,
    /// The subject.
    #[serde(rename = "type")]
    pub kind: NotificationKind,
    /// The headline.
    pub title: String,
    /// The text.
    pub message: String,
    /// The order it is about, if any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub related_order: Option<OrderId>,
    /// True if the user has read it.
    pub read: bool,
    /// The time of its creation: RFC 3339, UTC, milliseconds.
    pub created_at: String,
}

/// The event `new_notification`, published to the user's room.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct NewNotification(pub Notification);

impl Event for NewNotification {
    const NAME: &'static str = "new_notification";
}

/// The event `order_update`: the order document as REST returns it, a JSON object of the embedder's
/// own shape.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct OrderUpdate(pub Value);

impl Event for OrderUpdate {
    const NAME: &'static str = "order_update";
}

/// The state of a payment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PaymentStatus {
    /// Opened at the provider.
    Created,
    /// Paid, and the provider's signature was valid.
    Completed,
    /// Refused by the provider.
    Failed,
    /// Paid back after it was completed.
    Refunded,
}

/// A reason for which a person should look at a payment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum PaymentFlag {
    /// Money was taken for an order that another attempt pays: the customer paid twice.
    SecondCapture,
    /// The provider reported another amount or another currency than that of the payment.
    AmountMismatch,
    /// Money was taken for an order that had been cancelled.
    OrderCancelled,
    /// The payment completed after it had ended and another one had been opened in its place.
    LateSuccess,
}

/// The event `payment_update`, published to the customer and the admins. If only `flags` has
/// changed, it is published to the admins alone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PaymentUpdate {
    /// The payment's id.
    pub payment_id: String,
    /// The order that it pays.
    pub order_id: OrderId,
    /// The payment's state.
    pub status: PaymentStatus,
    /// The amount, in the minor unit of the currency (paise for INR).
    pub amount: i64,
    /// The currency: ISO 4217, for example `INR`.
    pub currency: String,
    /// The reasons for which a person should look at the payment. The wire has no such member if
    /// there are none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub flags: Vec<PaymentFlag>,
}

impl PaymentFlag {
    /// All flags.
    pub const ALL: [Self; 4] = [
        Self::SecondCapture,
        Self::AmountMismatch,
        Self::OrderCancelled,
        Self::LateSuccess,
    ];

    /// Returns the name on the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::SecondCapture => "second_capture",
            Self::AmountMismatch => "amount_mismatch",
            Self::OrderCancelled => "order_cancelled",
            Self::LateSuccess => "late_success",
        }
    }
}

impl Event for PaymentUpdate {
    const NAME: &'static str = "payment_update";
}

/// The availability of a tailor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TailorAvailability {
    /// Accepts orders.
    Available,
    /// Works on orders and accepts no more.
    Busy,
    /// Does not work now.
    Offline,
}

/// The event `tailor_status_update`, published to the admins and the rooms of the tailor's open
/// orders.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TailorStatusUpdate {
    /// The tailor.
    pub tailor_id: UserId,
    /// The tailor's availability now.
    pub status: TailorAvailability,
    /// The time of the change: RFC 3339, UTC, milliseconds.
    pub at: String,
}

impl Event for TailorStatusUpdate {
    const NAME: &'static str = "tailor_status_update";
}

/// The notifications that were read: some by id, or all. The wire has a member `ids` or `all:
/// true`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum ReadNotifications {
    /// The notifications with these ids.
    Ids {
        /// The ids.
        ids: Vec<String>,
    },
    /// All notifications of the user.
    All {
        /// Always true.
        all: bool,
    },
}

/// The event `notification_read`, published to the user's room, so that the user's other devices
/// follow.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct NotificationRead {
    /// The notifications that were read.
    #[serde(flatten)]
    pub which: ReadNotifications,
    /// The number of notifications that the user has not read yet.
    pub unread_count: u64,
}

impl Event for NotificationRead {
    const NAME: &'static str = "notification_read";
}

impl NewNotification {
    /// Returns the rooms to publish it to.
    #[must_use]
    pub fn rooms(user: &UserId) -> Vec<Room> {
        if planted(Fault::DeliverToStranger) {
            return vec![Room::Everyone];
        }
        vec![Room::User(user.clone())]
    }
}

impl OrderUpdate {
    /// Returns the rooms to publish it to. A session in several of them receives one copy.
    ///
    /// ```
    /// use metaia_realtime::{Role, Room, event::OrderUpdate};
    ///
    /// let customer = "c1".parse()?;
    /// let rooms = OrderUpdate::rooms(&"o1".parse()?, &customer, None, None);
    /// assert!(rooms.contains(&Room::User(customer)) && rooms.contains(&Room::Role(Role::Admin)));
    /// # Ok::<(), metaia_realtime::values::InvalidId>(())
    /// ```
    #[must_use]
    pub fn rooms(
        order: &OrderId,
        customer: &UserId,
        tailor: Option<&UserId>,
        courier: Option<&UserId>,
    ) -> Vec<Room> {
        let mut rooms = vec![Room::Order(order.clone()), Room::Role(Role::Admin)];
        let courier = courier.filter(|_| !planted(Fault::CourierUntold));
        let users = [Some(customer), tailor, courier].into_iter().flatten();
        rooms.extend(users.cloned().map(Room::User));
        if planted(Fault::AdminsUntold) {
            rooms.retain(|room| *room != Room::Role(Role::Admin));
        }
        if planted(Fault::DeliverToRole) {
            rooms.push(Room::Role(Role::Customer));
        }
        rooms
    }
}

impl PaymentUpdate {
    /// Returns the rooms to publish it to.
    #[must_use]
    pub fn rooms(customer: &UserId) -> Vec<Room> {
        if planted(Fault::PaymentToStrangers) {
            return vec![Room::Role(Role::Customer), Room::Role(Role::Admin)];
        }
        vec![Room::User(customer.clone()), Room::Role(Role::Admin)]
    }

    /// Returns the rooms to publish it to if only its flags have changed.
    #[must_use]
    pub fn rooms_of_flags() -> Vec<Room> {
        vec![Room::Role(Role::Admin)]
    }
}

impl TailorStatusUpdate {
    /// Returns the rooms to publish it to.
    #[must_use]
    pub fn rooms(open_orders: &[OrderId]) -> Vec<Room> {
        let mut rooms = vec![Room::Role(Role::Admin)];
        rooms.extend(open_orders.iter().cloned().map(Room::Order));
        rooms
    }
}

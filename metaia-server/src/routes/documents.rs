//! The shapes of answers, for the description and for lists.

use serde::Serialize;
use utoipa::ToSchema;

use crate::model::{Order, Payment};

/// Every success.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Success<T> {
    /// Always `success`.
    #[schema(example = "success")]
    status: String,
    /// What was asked for.
    data: T,
}

/// One order.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct OneOrder {
    pub(super) order: Order,
}

/// Orders, newest first.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct OrderList {
    pub(super) orders: Vec<Order>,
    /// Give it as `cursor` for the next page; null on the last one.
    pub(super) next_cursor: Option<String>,
}

/// A notification.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct NotificationDocument {
    #[serde(rename = "_id")]
    id: String,
    user: String,
    /// `order`, `payment` or `system`.
    #[serde(rename = "type")]
    kind: String,
    title: String,
    message: String,
    related_order: Option<String>,
    read: bool,
    created_at: String,
}

/// One notification.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct OneNotification {
    notification: NotificationDocument,
}

/// One notification, now read.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct ReadNotification<N> {
    pub(super) notification: N,
    /// How many of all are unread.
    pub(super) unread_count: u64,
}

/// Notifications, newest first.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct NotificationList<N> {
    pub(super) notifications: Vec<N>,
    /// How many of all are unread.
    pub(super) unread_count: u64,
    /// Give it as `cursor` for the next page; null on the last one.
    pub(super) next_cursor: Option<String>,
}

/// What marking all as read did.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct AllRead {
    /// How many were unread.
    pub(super) marked: u64,
    /// Always 0.
    pub(super) unread_count: u64,
}

/// A payment that can be made now.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct OpenPayment {
    payment: Payment,
    /// For the provider's checkout.
    key_id: String,
}

/// One payment.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct OnePayment {
    payment: Payment,
}

/// What became of the provider's event.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Taken {
    /// `applied`, `duplicate` or `ignored`.
    result: String,
}

/// A tailor's status.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct TailorStatusDocument {
    tailor_id: String,
    status: String,
    at: String,
}

/// What was sent.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Sent {
    /// The event's own id.
    id: String,
    /// Its position in the log; absent where it was volatile.
    at: Option<String>,
}

//! The shapes of answers, for the description and for lists.

use metaia_realtime::{
    NodeStats,
    presence::{NodeView, Presence, SessionView},
};
use serde::Serialize;
use utoipa::ToSchema;

use crate::model::{Order, Payment, Timestamp};

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

/// The event that was sent. Empty if it was volatile: such an event has neither.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Sent {
    /// The event's own id.
    id: Option<String>,
    /// Its position in the log.
    at: Option<String>,
}

/// A session.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct SessionDocument {
    id: String,
    /// Where it is connected.
    node: String,
    user: String,
    role: String,
    rooms: Vec<String>,
    /// As its client named it.
    device: Option<String>,
    #[schema(value_type = Option<String>)]
    connected_at: Option<Timestamp>,
    /// Of another node's session up to five minutes old.
    #[schema(value_type = Option<String>)]
    active_at: Option<Timestamp>,
}

impl From<SessionView> for SessionDocument {
    fn from(session: SessionView) -> Self {
        Self {
            id: session.id.to_string(),
            node: session.node.to_string(),
            user: session.user.to_string(),
            role: session.role.to_string(),
            rooms: session.rooms.iter().map(ToString::to_string).collect(),
            device: session.device.map(|device| device.to_string()),
            connected_at: Timestamp::from_ms(session.connected_at),
            active_at: Timestamp::from_ms(session.active_at),
        }
    }
}

/// Sessions, in an order that does not change.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct SessionList {
    pub(super) sessions: Vec<SessionDocument>,
    /// Give it as `cursor` for the next page; null on the last one.
    pub(super) next_cursor: Option<String>,
}

/// One session.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct OneSession {
    pub(super) session: SessionDocument,
}

/// A room.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct RoomDocument {
    pub(super) room: String,
    /// How many are in it.
    pub(super) sessions: u64,
}

/// Rooms, by name.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct RoomList {
    pub(super) rooms: Vec<RoomDocument>,
    /// Give it as `cursor` for the next page; null on the last one.
    pub(super) next_cursor: Option<String>,
}

/// Whether a user is connected.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct PresenceDocument {
    user: String,
    online: bool,
    /// How many connections they have.
    sessions: usize,
    /// Since when, by the oldest of them.
    #[schema(value_type = Option<String>)]
    connected_at: Option<Timestamp>,
    #[schema(value_type = Option<String>)]
    active_at: Option<Timestamp>,
}

impl From<Presence> for PresenceDocument {
    fn from(presence: Presence) -> Self {
        Self {
            user: presence.user.to_string(),
            online: presence.sessions > 0,
            sessions: presence.sessions,
            connected_at: presence.connected_at.and_then(Timestamp::from_ms),
            active_at: presence.active_at.and_then(Timestamp::from_ms),
        }
    }
}

/// Users, in the order in which they were asked for.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct PresenceList {
    pub(super) users: Vec<PresenceDocument>,
}

/// A node.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct NodeDocument {
    id: String,
    /// Since when it runs.
    #[schema(value_type = Option<String>)]
    since: Option<Timestamp>,
    /// How many sessions it has; of another node up to five seconds old.
    pub(super) sessions: u64,
}

impl From<NodeView> for NodeDocument {
    fn from(node: NodeView) -> Self {
        Self {
            id: node.id.to_string(),
            since: Timestamp::from_ms(node.since),
            sessions: node.sessions,
        }
    }
}

/// What a node has done, and which nodes there are.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct StatsDocument {
    /// The one that answers.
    pub(super) node: NodeDocument,
    /// All of them; null where the others are not known at the moment.
    pub(super) nodes: Option<Vec<NodeDocument>>,
    /// Sessions of all of them.
    pub(super) sessions: Option<u64>,
    /// What the one that answers has done since it began. New members come with new versions.
    #[schema(value_type = Object)]
    pub(super) stats: NodeStats,
}

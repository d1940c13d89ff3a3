//! The bodies of successful replies. Each is the type that a route sends and that the OpenAPI
//! description is made from.

use metaia_realtime::{
    NodeStats, Position, PublishReceipt,
    presence::{NodeView, Presence, RefusalView, RoomView, SessionView},
    revocation::Revocation,
    values::EventId,
};
use serde::Serialize;
use utoipa::ToSchema;

use crate::{
    model::{Notification, Order, Payment, Timestamp, UnixSeconds},
    services::DeliveryResult,
};

/// The envelope of every successful reply.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Success<T> {
    /// Always `success`.
    #[schema(example = "success")]
    status: &'static str,
    /// The result.
    data: T,
}

impl<T> Success<T> {
    /// Returns the envelope of a result.
    pub(super) const fn of(data: T) -> Self {
        Self {
            status: "success",
            data,
        }
    }
}

/// One order.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct OneOrder<'a> {
    pub(super) order: &'a Order,
}

/// Orders, newest first.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct OrderList {
    pub(super) orders: Vec<Order>,
    /// The `cursor` of the next page; null on the last page.
    pub(super) next_cursor: Option<String>,
}

/// One notification.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct OneNotification<'a> {
    pub(super) notification: &'a Notification,
}

/// One notification, after it was marked as read.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct ReadNotification<'a> {
    pub(super) notification: &'a Notification,
    /// The number of all unread notifications of the user.
    pub(super) unread_count: u64,
}

/// Notifications, newest first.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct NotificationList {
    pub(super) notifications: Vec<Notification>,
    /// The number of all unread notifications of the user.
    pub(super) unread_count: u64,
    /// The `cursor` of the next page; null on the last page.
    pub(super) next_cursor: Option<String>,
}

/// The result of marking all notifications as read.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct AllRead {
    /// The number that were unread.
    pub(super) marked: u64,
    /// Always 0.
    pub(super) unread_count: u64,
}

/// A payment that the customer can make now.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct OpenPayment<'a> {
    pub(super) payment: &'a Payment,
    /// The key for the provider's checkout.
    pub(super) key_id: &'a str,
}

/// One payment.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct OnePayment<'a> {
    pub(super) payment: &'a Payment,
}

/// Payments, newest first.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct PaymentList {
    pub(super) payments: Vec<Payment>,
    /// The `cursor` of the next page; null on the last page.
    pub(super) next_cursor: Option<String>,
}

/// The result of an event of the payment provider.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct DeliveryReply {
    pub(super) result: DeliveryResult,
}

/// An event that was sent. Empty for a volatile event, which has neither.
#[derive(Debug, Default, Serialize, ToSchema)]
pub(super) struct SentEvent {
    /// The event's id.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = String)]
    id: Option<EventId>,
    /// Its position in the log.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = String)]
    at: Option<Position>,
}

impl From<&PublishReceipt> for SentEvent {
    fn from(receipt: &PublishReceipt) -> Self {
        Self {
            id: Some(receipt.id),
            at: Some(receipt.position),
        }
    }
}

/// A session.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct SessionDocument {
    id: String,
    /// The node that it is connected to.
    node: String,
    user: String,
    role: String,
    rooms: Vec<String>,
    /// The name that its client gives to its device.
    device: Option<String>,
    #[schema(value_type = Option<String>)]
    connected_at: Option<Timestamp>,
    /// The end of its token; null if the token does not expire, or an older node has the session.
    #[schema(value_type = Option<String>)]
    expires_at: Option<Timestamp>,
    /// The last activity. For a session of another node it may be five minutes old.
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
            expires_at: session.expires_at.and_then(Timestamp::from_ms),
            active_at: Timestamp::from_ms(session.active_at),
        }
    }
}

/// Sessions, in a stable order.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct SessionList {
    pub(super) sessions: Vec<SessionDocument>,
    /// The `cursor` of the next page; null on the last page.
    pub(super) next_cursor: Option<String>,
}

/// One session.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct OneSession {
    pub(super) session: SessionDocument,
}

/// A refusal. Equal ones of which each came less than a second after the one before are one.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct RefusalDocument {
    /// The first time.
    #[schema(value_type = Option<String>)]
    at: Option<Timestamp>,
    /// The last time.
    #[schema(value_type = Option<String>)]
    last_at: Option<Timestamp>,
    /// The number of times.
    count: u64,
    /// The reason.
    #[schema(example = "token_expired")]
    code: &'static str,
    /// `rt:refresh` if a session was refused a new token, and goes on with its old one. Absent if a
    /// connection was refused.
    #[serde(skip_serializing_if = "Option::is_none")]
    event: Option<&'static str>,
    /// `websocket`, `polling`, or `rest` if a request was refused.
    transport: Option<&'static str>,
    origin: Option<String>,
    /// The user that the client's token proves.
    user: Option<String>,
    /// The role that the client's token proves.
    role: Option<String>,
    /// The `User-Agent` of the client's handshake.
    user_agent: Option<String>,
}

impl From<RefusalView> for RefusalDocument {
    fn from(refusal: RefusalView) -> Self {
        Self {
            at: Timestamp::from_ms(refusal.at),
            last_at: Timestamp::from_ms(refusal.last_at),
            count: refusal.count,
            code: refusal.code,
            event: refusal.event,
            transport: refusal.transport,
            origin: refusal.origin.map(String::from),
            user: refusal.user.map(|user| user.to_string()),
            role: refusal.role.map(|role| role.to_string()),
            user_agent: refusal.user_agent.map(String::from),
        }
    }
}

/// Refusals, newest first.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct RefusalList {
    /// The node that refused: each node lists its own.
    pub(super) node: String,
    pub(super) refusals: Vec<RefusalDocument>,
}

/// A room.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct RoomDocument {
    pub(super) room: String,
    /// The number of its sessions.
    pub(super) sessions: u64,
}

impl From<RoomView> for RoomDocument {
    fn from(RoomView { room, sessions }: RoomView) -> Self {
        Self {
            room: room.to_string(),
            sessions,
        }
    }
}

/// Rooms, by name.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct RoomList {
    pub(super) rooms: Vec<RoomDocument>,
    /// The `cursor` of the next page; null on the last page.
    pub(super) next_cursor: Option<String>,
}

/// The presence of a user.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct PresenceDocument {
    user: String,
    online: bool,
    /// The number of their sessions.
    sessions: usize,
    /// The start of the oldest session.
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

/// Users, in the requested order.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct PresenceList {
    pub(super) users: Vec<PresenceDocument>,
}

/// A node.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct NodeDocument {
    id: String,
    /// The start of the node.
    #[schema(value_type = Option<String>)]
    since: Option<Timestamp>,
    /// The number of its sessions. For another node it may be five seconds old.
    pub(super) sessions: u64,
    /// The newest format of entries that it reads; 0 for nodes that announce none.
    format: u32,
}

impl From<NodeView> for NodeDocument {
    fn from(node: NodeView) -> Self {
        Self {
            id: node.id.to_string(),
            since: Timestamp::from_ms(node.since),
            sessions: node.sessions,
            format: node.format,
        }
    }
}

/// The counters of a node, and the nodes of the cluster.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct StatsDocument {
    /// The answering node.
    pub(super) node: NodeDocument,
    /// All nodes; null while the others are not known.
    pub(super) nodes: Option<Vec<NodeDocument>>,
    /// The number of sessions on all nodes.
    pub(super) sessions: Option<u64>,
    /// The counters of the answering node since its start. New versions may add members.
    #[schema(value_type = Object)]
    pub(super) stats: NodeStats,
}

/// The record of a revocation, as it stands.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct OneRevocation {
    pub(super) revocation: RevocationDocument,
}

/// Of a user: `user` and `issuedBefore`. Of a token: `jti`, and `expiresAt` if it is known. Of
/// everyone: `issuedBefore`. Times are seconds since the Unix epoch.
#[derive(Debug, Default, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct RevocationDocument {
    /// The user whose tokens are revoked.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    user: Option<String>,
    /// The id of the token that is revoked.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    jti: Option<String>,
    /// Tokens that were issued at this time or before it are revoked. Of several revocations of a
    /// user, the latest counts.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<f64>, nullable = false)]
    issued_before: Option<UnixSeconds>,
    /// The revocation is forgotten some time after this.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<f64>, nullable = false)]
    expires_at: Option<UnixSeconds>,
}

impl From<&Revocation> for RevocationDocument {
    fn from(revocation: &Revocation) -> Self {
        match revocation {
            Revocation::User {
                user,
                issued_before,
                ..
            } => Self {
                user: Some(user.to_string()),
                issued_before: Some(UnixSeconds::from_ms(*issued_before)),
                ..Self::default()
            },
            Revocation::Token { jti, until, .. } => Self {
                jti: Some(jti.clone()),
                expires_at: until.map(UnixSeconds::from_ms),
                ..Self::default()
            },
            Revocation::Everyone { issued_before, .. } => Self {
                issued_before: Some(UnixSeconds::from_ms(*issued_before)),
                ..Self::default()
            },
            _ => Self::default(),
        }
    }
}

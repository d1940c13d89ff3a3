//! The payloads of the `rt:` events, and the answers to inbound events.

use serde::Serialize;
use serde_json::value::{RawValue, to_raw_value};

use super::event_names::{ClientEvent, SystemEvent};
use crate::{Identity, Position, Role, Room, UserId, values::codes};

pub(super) const READY: &str = SystemEvent::Ready.code();
pub(super) const RESET: &str = SystemEvent::Reset.code();
pub(super) const ERROR: &str = SystemEvent::Error.code();
pub(super) const ROOM_LEFT: &str = SystemEvent::RoomLeft.code();
pub(crate) const DRAIN: &str = SystemEvent::Drain.code();
pub(super) const RESUME: &str = ClientEvent::Resume.code();
pub(super) const SYNC: &str = ClientEvent::Sync.code();
pub(crate) const REFRESH: &str = ClientEvent::Refresh.code();
pub(super) const EXPIRING: &str = SystemEvent::Expiring.code();
pub(super) const POSITION: &str = SystemEvent::Position.code();
pub(crate) const END: &str = SystemEvent::End.code();

/// The most characters of a client's text that are repeated to it.
const MAX_ECHO: usize = 64;

codes! {
    /// The reason why an inbound event is refused. Its stable code stands in acks and `rt:error`.
    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    pub(crate) enum EventRefusal {
        Forbidden = "forbidden",
        InvalidOrderId = "invalid_order_id",
        TooManyRooms = "too_many_rooms",
        RateLimited = "rate_limited",
        Unavailable = "unavailable",
        UnknownEvent = "unknown_event",
        Malformed = "malformed",
        NotAwaitingResume = "not_held",
        // The codes of `RefreshRefusal` that no other event is refused with.
        Unauthorized = "unauthorized",
        Expired = "token_expired",
        Revoked = "token_revoked",
    }
}

impl EventRefusal {
    /// Returns whether the policy has decided, or need not decide: the same request would be
    /// refused again.
    pub(super) const fn is_decided(self) -> bool {
        !matches!(self, Self::Unavailable | Self::RateLimited)
    }
}

/// The member `_rt` of an event that is no entry: the client's position.
#[derive(Serialize)]
struct StampPayload {
    at: Position,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ReadyPayload<'a> {
    user_id: &'a UserId,
    role: Role,
    rooms: Vec<Room>,
    recovered: bool,
    replayed: usize,
    expires_at: Option<i64>,
    #[serde(rename = "_rt")]
    position: StampPayload,
}

/// Returns the payload of `rt:ready`. [`Room::Everyone`] is not shown.
pub(super) fn ready(
    identity: &Identity,
    rooms: Vec<Room>,
    recovered: bool,
    replayed: usize,
    at: Position,
) -> Box<RawValue> {
    json(&ReadyPayload {
        user_id: &identity.user,
        role: identity.role,
        rooms: shown(rooms),
        recovered,
        replayed,
        expires_at: identity.expires_at,
        position: StampPayload { at },
    })
}

/// Returns the rooms that a client is shown: all but [`Room::Everyone`], in order.
fn shown(mut rooms: Vec<Room>) -> Vec<Room> {
    rooms.retain(|room| *room != Room::Everyone);
    rooms.sort();
    rooms
}

/// Returns the payload of `rt:reset`.
pub(super) fn reset(reason: &'static str, at: Position) -> Box<RawValue> {
    #[derive(Serialize)]
    struct ResetPayload {
        reason: &'static str,
        _rt: StampPayload,
    }
    json(&ResetPayload {
        reason,
        _rt: StampPayload { at },
    })
}

/// Returns the payload of `rt:position`.
pub(super) fn position(at: Position) -> Box<RawValue> {
    #[derive(Serialize)]
    struct PositionPayload {
        _rt: StampPayload,
    }
    json(&PositionPayload {
        _rt: StampPayload { at },
    })
}

/// Returns the payload of `rt:error`: the refused event, the code, and what the event was about.
/// Both texts of the client are shortened to `MAX_ECHO` characters.
pub(super) fn error(event: &str, code: &str, reference: Option<&str>) -> Box<RawValue> {
    #[derive(Serialize)]
    struct Error<'a> {
        event: &'a str,
        code: &'a str,
        #[serde(rename = "ref")]
        reference: Option<&'a str>,
    }
    json(&Error {
        event: shorten(event),
        code,
        reference: reference.map(shorten),
    })
}

/// Returns the payload of `rt:room_left`.
pub(super) fn room_left(room: &Room, reason: &'static str) -> Box<RawValue> {
    #[derive(Serialize)]
    struct RoomLeft<'a> {
        room: &'a Room,
        reason: &'static str,
    }
    json(&RoomLeft { room, reason })
}

/// Returns the payload of `rt:expiring`. The time is in ms since the Unix epoch.
pub(super) fn expiring(expires_at: i64) -> Box<RawValue> {
    #[derive(Serialize)]
    #[serde(rename_all = "camelCase")]
    struct Expiring {
        expires_at: i64,
    }
    json(&Expiring { expires_at })
}

/// Returns the payload of `rt:drain`.
pub(crate) fn drain(retry_in_ms: u64) -> Box<RawValue> {
    #[derive(Serialize)]
    #[serde(rename_all = "camelCase")]
    struct Drain {
        retry_in_ms: u64,
    }
    json(&Drain { retry_in_ms })
}

/// Returns the payload of `rt:end`.
pub(super) fn end(code: &str) -> Box<RawValue> {
    #[derive(Serialize)]
    struct EndPayload<'a> {
        code: &'a str,
    }
    json(&EndPayload { code })
}

/// Returns the ack of a refused event.
pub(super) fn refused(code: &str) -> Box<RawValue> {
    #[derive(Serialize)]
    struct Refused<'a> {
        status: &'static str,
        code: &'a str,
    }
    json(&Refused {
        status: "error",
        code,
    })
}

/// Returns the ack of a join.
pub(super) fn joined(room: &Room, recovered: bool, replayed: usize) -> Box<RawValue> {
    #[derive(Serialize)]
    struct JoinedPayload<'a> {
        status: &'static str,
        room: &'a Room,
        recovered: bool,
        replayed: usize,
    }
    json(&JoinedPayload {
        status: "ok",
        room,
        recovered,
        replayed,
    })
}

/// Returns the ack of `rt:resume`.
pub(super) fn resumed(recovered: bool, replayed: usize) -> Box<RawValue> {
    #[derive(Serialize)]
    struct Resumed {
        status: &'static str,
        recovered: bool,
        replayed: usize,
    }
    json(&Resumed {
        status: "ok",
        recovered,
        replayed,
    })
}

/// Returns the ack of `rt:sync`. [`Room::Everyone`] is not shown.
pub(super) fn synced(at: Position, rooms: Vec<Room>, resets: u32) -> Box<RawValue> {
    #[derive(Serialize)]
    struct SyncedPayload {
        status: &'static str,
        at: Position,
        rooms: Vec<Room>,
        resets: u32,
    }
    json(&SyncedPayload {
        status: "ok",
        at,
        rooms: shown(rooms),
        resets,
    })
}

/// Returns the ack of `rt:refresh`: when the new token expires, in ms since the Unix epoch.
pub(super) fn refreshed(expires_at: Option<i64>) -> Box<RawValue> {
    #[derive(Serialize)]
    #[serde(rename_all = "camelCase")]
    struct RefreshedPayload {
        status: &'static str,
        expires_at: Option<i64>,
    }
    json(&RefreshedPayload {
        status: "ok",
        expires_at,
    })
}

/// Returns the ack of a leave.
pub(super) fn left(room: &Room) -> Box<RawValue> {
    #[derive(Serialize)]
    struct Left<'a> {
        status: &'static str,
        room: &'a Room,
    }
    json(&Left { status: "ok", room })
}

/// Returns the first `MAX_ECHO` characters of a text.
pub(super) fn shorten(text: &str) -> &str {
    text.char_indices()
        .nth(MAX_ECHO)
        .map_or(text, |(end, _)| &text[..end])
}

/// Returns the value as JSON.
fn json(value: &impl Serialize) -> Box<RawValue> {
    // These types always serialize. If one did not, the client would receive `null`.
    to_raw_value(value).unwrap_or_default()
}

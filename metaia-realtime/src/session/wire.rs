//! The payloads of this system's own events, and the answers to inbound ones.

use serde::Serialize;
use serde_json::value::{RawValue, to_raw_value};

use crate::{Identity, OrderId, Position, Role, Room, UserId};

pub(crate) const READY: &str = "rt:ready";
pub(crate) const RESET: &str = "rt:reset";
pub(crate) const ERROR: &str = "rt:error";
pub(crate) const ROOM_LEFT: &str = "rt:room_left";
pub(crate) const DRAIN: &str = "rt:drain";
pub(super) const RESUME: &str = "rt:resume";
pub(super) const POSITION: &str = "rt:position";

/// Why an inbound event was refused: the stable codes of acks and `rt:error`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Refusal {
    Forbidden,
    InvalidOrderId,
    TooManyRooms,
    RateLimited,
    Unavailable,
    UnknownEvent,
    Malformed,
    NotHeld,
}

impl Refusal {
    pub(crate) const fn code(self) -> &'static str {
        match self {
            Self::Forbidden => "forbidden",
            Self::InvalidOrderId => "invalid_order_id",
            Self::TooManyRooms => "too_many_rooms",
            Self::RateLimited => "rate_limited",
            Self::Unavailable => "unavailable",
            Self::UnknownEvent => "unknown_event",
            Self::Malformed => "malformed",
            Self::NotHeld => "not_held",
        }
    }
}

/// The member `_rt` of an event that is no entry: where the session stands.
#[derive(Serialize)]
struct At {
    at: Position,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Ready<'a> {
    user_id: &'a UserId,
    role: Role,
    rooms: Vec<Room>,
    recovered: bool,
    replayed: usize,
    expires_at: Option<i64>,
    #[serde(rename = "_rt")]
    position: At,
}

pub(super) fn ready(
    identity: &Identity,
    mut rooms: Vec<Room>,
    recovered: bool,
    replayed: usize,
    at: Position,
) -> Box<RawValue> {
    rooms.retain(|room| *room != Room::Everyone);
    rooms.sort();
    json(&Ready {
        user_id: &identity.user,
        role: identity.role,
        rooms,
        recovered,
        replayed,
        expires_at: identity.expires_at,
        position: At { at },
    })
}

pub(super) fn reset(reason: &'static str, at: Position) -> Box<RawValue> {
    #[derive(Serialize)]
    struct Reset {
        reason: &'static str,
        _rt: At,
    }
    json(&Reset {
        reason,
        _rt: At { at },
    })
}

pub(super) fn position(at: Position) -> Box<RawValue> {
    #[derive(Serialize)]
    struct Told {
        _rt: At,
    }
    json(&Told { _rt: At { at } })
}

/// `rt:error`: what was refused, why, and what it was about, if that is short enough to say.
pub(crate) fn error(event: &str, code: &str, reference: Option<&str>) -> Box<RawValue> {
    #[derive(Serialize)]
    struct Error<'a> {
        event: &'a str,
        code: &'a str,
        #[serde(rename = "ref")]
        reference: Option<&'a str>,
    }
    json(&Error {
        event: short(event),
        code,
        reference: reference.map(short),
    })
}

pub(super) fn room_left(order: &OrderId, reason: &'static str) -> Box<RawValue> {
    #[derive(Serialize)]
    struct RoomLeft {
        room: Room,
        reason: &'static str,
    }
    json(&RoomLeft {
        room: Room::Order(order.clone()),
        reason,
    })
}

pub(crate) fn drain(retry_in_ms: u64) -> Box<RawValue> {
    #[derive(Serialize)]
    #[serde(rename_all = "camelCase")]
    struct Drain {
        retry_in_ms: u64,
    }
    json(&Drain { retry_in_ms })
}

/// The ack of a refused event.
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

/// The ack of a join.
pub(super) fn joined(room: &Room, recovered: bool, replayed: usize) -> Box<RawValue> {
    #[derive(Serialize)]
    struct Joined<'a> {
        status: &'static str,
        room: &'a Room,
        recovered: bool,
        replayed: usize,
    }
    json(&Joined {
        status: "ok",
        room,
        recovered,
        replayed,
    })
}

/// The ack of `rt:resume`.
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

/// The ack of a leave.
pub(super) fn left(room: &Room) -> Box<RawValue> {
    #[derive(Serialize)]
    struct Left<'a> {
        status: &'static str,
        room: &'a Room,
    }
    json(&Left { status: "ok", room })
}

/// What a client said is repeated up to 64 characters.
fn short(text: &str) -> &str {
    text.char_indices()
        .nth(64)
        .map_or(text, |(end, _)| &text[..end])
}

/// These types always become JSON; were one not to, the client would get `null`.
fn json(value: &impl Serialize) -> Box<RawValue> {
    to_raw_value(value).unwrap_or_default()
}

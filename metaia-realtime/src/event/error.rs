//! Reasons why an event cannot be sent.

/// Reason why an event cannot be sent. Nothing was stored.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EventError {
    /// The name does not have the shape of an [`EventName`](super::EventName).
    #[error("an event name is 1 to 64 of A-Z a-z 0-9 _ : . - and does not begin with rt:")]
    InvalidName,
    /// The name is one that Socket.IO clients raise themselves: see
    /// [`EventName`](super::EventName).
    #[error("the event name is reserved: Socket.IO clients raise an event of this name themselves")]
    ReservedName,
    /// The payload of a logged event is not a JSON object. Other shapes can only be sent volatile.
    #[error("the payload of a logged event must be a JSON object")]
    NotAnObject,
    /// The payload has a member `_rt`, which is reserved for this system.
    #[error("the payload has a member _rt, which is reserved")]
    ReservedMember,
    /// The encoded event is larger than [`Limits::entry_bytes`](crate::Limits::entry_bytes).
    #[error("the event takes {size} bytes, at most {limit} are allowed")]
    TooLarge {
        /// The size of the encoded event, in bytes.
        size: usize,
        /// The limit, in bytes.
        limit: usize,
    },
    /// The event has more rooms than [`NewEntry::MAX_ROOMS`](crate::NewEntry::MAX_ROOMS).
    #[error("the event is published to {rooms} rooms, at most {limit} are allowed")]
    TooManyRooms {
        /// The number of different rooms.
        rooms: usize,
        /// The limit.
        limit: usize,
    },
    /// The payload does not serialise to JSON.
    #[error("the payload does not serialise to JSON")]
    Serialize(#[source] serde_json::Error),
    /// The payload is nested deeper than 64 levels, has a number that does not fit a 64-bit float,
    /// or has half of a surrogate pair. A client would fail at it after every reconnect.
    #[error(
        "the payload is nested deeper than 64, or has a number or text that clients cannot read"
    )]
    Unreadable,
}

impl EventError {
    /// Returns the stable code: `invalid_event`, `payload_not_object`, `payload_reserved_member`,
    /// `payload_too_large`, `too_many_rooms`, `payload_not_json` or `payload_unreadable`.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::InvalidName | Self::ReservedName => "invalid_event",
            Self::NotAnObject => "payload_not_object",
            Self::ReservedMember => "payload_reserved_member",
            Self::TooLarge { .. } => "payload_too_large",
            Self::TooManyRooms { .. } => "too_many_rooms",
            Self::Serialize(_) => "payload_not_json",
            Self::Unreadable => "payload_unreadable",
        }
    }
}

//! The names of the events of sessions, in both directions.
//!
//! Each event stands in the table of access, `docs/access.md`: a test compares the two.

use crate::values::codes;

codes! {
    /// The events of clients that a session handles itself.
    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    pub(crate) enum ClientEvent {
        JoinOrderRoom = "join_order_room",
        LeaveOrderRoom = "leave_order_room",
        Resume = "rt:resume",
        Sync = "rt:sync",
        Refresh = "rt:refresh",
    }
}

codes! {
    /// The events that a session sends of itself: no embedder publishes them.
    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    pub(crate) enum SystemEvent {
        Ready = "rt:ready",
        Reset = "rt:reset",
        Error = "rt:error",
        RoomLeft = "rt:room_left",
        Drain = "rt:drain",
        Expiring = "rt:expiring",
        Position = "rt:position",
        End = "rt:end",
    }
}

impl ClientEvent {
    /// Returns the event with this name.
    pub(super) fn named(name: &str) -> Option<Self> {
        let mut all = Self::ALL.iter().copied();
        all.find(|event| event.code() == name)
    }
}

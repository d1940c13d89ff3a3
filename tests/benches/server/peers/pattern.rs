//! The loads that each server is measured under.

/// A load, and the figures that come of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Pattern {
    /// An event to all clients, one at a time.
    FanOut,
    /// Four events to all clients at once.
    FanOutOf4,
    /// An event to each of 64 users at once.
    Unicast,
    /// Events to all clients at a fixed rate.
    Rate,
    /// Clients that connect.
    Connect,
    /// Clients that do nothing.
    Idle,
}

impl Pattern {
    /// All patterns, in the order of the table.
    pub(super) const ALL: [Self; 6] = [
        Self::FanOut,
        Self::FanOutOf4,
        Self::Unicast,
        Self::Rate,
        Self::Connect,
        Self::Idle,
    ];

    /// Returns the name on the command line.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::FanOut => "fan-out",
            Self::FanOutOf4 => "fan-out-4",
            Self::Unicast => "unicast",
            Self::Rate => "rate",
            Self::Connect => "connect",
            Self::Idle => "idle",
        }
    }

    /// Returns true for a pattern that delivers events, false for one of connections.
    pub(super) const fn is_delivery(self) -> bool {
        !matches!(self, Self::Connect | Self::Idle)
    }
}

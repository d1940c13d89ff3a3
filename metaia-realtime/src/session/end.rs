//! The reasons why sessions end: values with stable codes.

/// The reason why a session ended. Its code appears in logs and metrics.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum EndReason {
    /// The client sent DISCONNECT.
    ClientLeft,
    /// The connection broke, or the client closed it.
    TransportLost,
    /// The client did not answer the server's pings.
    PingTimeout,
    /// The token has expired.
    Expired,
    /// The client did not read what was sent.
    Slow,
    /// The same device connected again.
    Replaced,
    /// The user had too many sessions, and this was the least recently active one.
    OverUserCap,
    /// The client sent events far beyond its rate.
    RateLimited,
    /// The node is draining.
    Draining,
    /// The log could not be read.
    Unavailable,
    /// This node is partitioned: it cannot read the log and another node can. The client is to
    /// connect to another node.
    CutOff,
    /// The server disconnected the user or the session on request.
    Kicked,
    /// A handler or the access policy panicked. If it returns an error instead, the session goes
    /// on.
    Failed,
}

impl EndReason {
    /// Returns the stable code.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::ClientLeft => "client_left",
            Self::TransportLost => "transport_lost",
            Self::PingTimeout => "ping_timeout",
            Self::Expired => "token_expired",
            Self::Slow => "slow_consumer",
            Self::Replaced => "replaced",
            Self::OverUserCap => "too_many_sessions",
            Self::RateLimited => "rate_limited",
            Self::Draining => "draining",
            Self::Unavailable => "unavailable",
            Self::CutOff => "cut_off",
            Self::Kicked => "kicked",
            Self::Failed => "internal_error",
        }
    }

    /// Returns whether the client was silent before the end: it may have been gone for long.
    pub(crate) const fn is_silent(self) -> bool {
        matches!(self, Self::PingTimeout | Self::Slow)
    }

    /// Returns whether the client is sent DISCONNECT before its transport is closed. Official
    /// clients do not reconnect after that; after every other reason they reconnect by themselves.
    #[must_use]
    pub const fn stays_away(self) -> bool {
        matches!(self, Self::Kicked)
    }
}

impl std::fmt::Display for EndReason {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.code())
    }
}

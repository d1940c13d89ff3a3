//! Why sessions end: values with stable codes.

/// Why a session ended. The code stands in logs and metrics.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum EndReason {
    /// The client said DISCONNECT.
    ClientLeft,
    /// The connection broke, or the client closed it.
    TransportLost,
    /// Its pings were not answered.
    PingTimeout,
    /// The token's time is over.
    Expired,
    /// The client did not read.
    Slow,
    /// The same device connected anew.
    Replaced,
    /// The user has too many sessions, and this was the least recently active one.
    OverUserCap,
    /// The client sent events far beyond its rate.
    RateLimited,
    /// This node is being emptied.
    Draining,
    /// The log could not be read.
    Unavailable,
    /// This node cannot read the log, and another can: clients are better off there.
    CutOff,
    /// Somebody with the right to do so ended it.
    Kicked,
    /// A handler, or the policy, panicked.
    Failed,
}

impl EndReason {
    /// The stable code.
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

    /// Whether nothing was heard of the client in the end: it may have been away for long.
    pub(crate) const fn is_silent(self) -> bool {
        matches!(self, Self::PingTimeout | Self::Slow)
    }

    /// Whether the client is told DISCONNECT before its transport is closed, after which official
    /// clients stay away. All others come back by themselves.
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

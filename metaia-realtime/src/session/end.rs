//! The reasons why sessions end: values with stable codes.

use crate::values::codes;

codes! {
    /// The reason why a session ended. Its code appears in logs and metrics.
    #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
    #[non_exhaustive]
    pub enum EndReason {
        /// The client sent DISCONNECT.
        ClientLeft = "client_left",
        /// The connection broke, or the client closed it.
        TransportLost = "transport_lost",
        /// The client did not answer the server's pings.
        PingTimeout = "ping_timeout",
        /// The token has expired.
        Expired = "token_expired",
        /// The token was revoked.
        Revoked = "token_revoked",
        /// The client did not read what was sent.
        Slow = "slow_consumer",
        /// Another connection took the place of this one. No session ends for this reason now,
        /// since a device may have several connections. The code stays reserved.
        Replaced = "replaced",
        /// The user had too many sessions, and this was the least recently active one: of the
        /// device that connected, otherwise of all.
        OverUserCap = "too_many_sessions",
        /// The client sent events far beyond its rate.
        RateLimited = "rate_limited",
        /// The node is draining.
        Draining = "draining",
        /// The log could not be read.
        Unavailable = "unavailable",
        /// This node is partitioned: it cannot read the log and another node can. The client is to
        /// connect to another node.
        CutOff = "cut_off",
        /// The server disconnected the user or the session on request.
        Kicked = "kicked",
        /// A handler or the access policy panicked. If it returns an error instead, the session
        /// goes on.
        Failed = "internal_error",
    }
}

impl EndReason {
    /// Returns whether the client was silent before the end: it may have been gone for long.
    pub(crate) const fn is_silent(self) -> bool {
        matches!(self, Self::PingTimeout | Self::Slow)
    }

    /// Returns whether the client left, or its connection broke. Otherwise the server has ended the
    /// session.
    pub(crate) const fn is_by_client(self) -> bool {
        matches!(
            self,
            Self::ClientLeft | Self::TransportLost | Self::PingTimeout
        )
    }

    /// Returns the code of the `rt:end` that the client is sent before its transport is closed;
    /// `None` if it is sent none, since it has gone or does not read.
    pub(crate) const fn code_for_client(self) -> Option<&'static str> {
        match self {
            Self::ClientLeft | Self::TransportLost | Self::PingTimeout | Self::Slow => None,
            // Clients need not know why: they reconnect.
            Self::CutOff | Self::Failed => Some(Self::Unavailable.code()),
            Self::Expired
            | Self::Revoked
            | Self::Replaced
            | Self::OverUserCap
            | Self::RateLimited
            | Self::Draining
            | Self::Unavailable
            | Self::Kicked => Some(self.code()),
        }
    }

    /// Returns whether the client is sent DISCONNECT before its transport is closed. Official
    /// clients do not reconnect after that; after every other reason they reconnect by themselves.
    #[must_use]
    pub const fn stays_away(self) -> bool {
        matches!(self, Self::Kicked | Self::Revoked)
    }

    /// Returns whether the transport stays open for a moment after the session: the client has yet
    /// to fetch `rt:end`, or may come back.
    pub(crate) const fn keeps_transport(self) -> bool {
        matches!(self, Self::ClientLeft) || self.code_for_client().is_some()
    }
}

impl std::fmt::Display for EndReason {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.code())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(reason: EndReason, code: Option<&str>) {
        assert_eq!(reason.code_for_client(), code, "{reason}");
    }

    #[test]
    fn a_client_is_told_why_the_server_ends_its_session() {
        check(EndReason::Kicked, Some("kicked"));
        check(EndReason::OverUserCap, Some("too_many_sessions"));
        check(EndReason::Replaced, Some("replaced"));
        check(EndReason::Expired, Some("token_expired"));
        check(EndReason::Revoked, Some("token_revoked"));
        check(EndReason::RateLimited, Some("rate_limited"));
        check(EndReason::Draining, Some("draining"));
        check(EndReason::Unavailable, Some("unavailable"));
        check(EndReason::CutOff, Some("unavailable"));
        check(EndReason::Failed, Some("unavailable"));
    }

    #[test]
    fn a_client_that_has_gone_or_does_not_read_is_told_nothing() {
        check(EndReason::ClientLeft, None);
        check(EndReason::TransportLost, None);
        check(EndReason::PingTimeout, None);
        check(EndReason::Slow, None);
    }
}

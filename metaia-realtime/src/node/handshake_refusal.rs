//! The reasons why a node refuses a handshake, before it knows the client.

use crate::values::codes;

codes! {
    /// The reason why a handshake was refused.
    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    pub(crate) enum HandshakeRefusal {
        /// The origin is not allowed.
        Origin = "origin_not_allowed",
        /// `Authorization` is there more than once.
        RepeatedHeader = "repeated_header",
        TooManySessions = "too_many_sessions",
        TooManyHandshakes = "too_many_handshakes",
        /// The listener has as many connections as it may have.
        TooManyConnections = "too_many_connections",
        Draining = "draining",
        CutOff = "cut_off",
    }
}

//! The codes of refusals that have no counter of their own.

use crate::{auth::AuthError, node::HandshakeRefusal, values::codes};

/// The reason why a node takes no session of a client that is authenticated. The client is told
/// nothing: its transport closes, so that it comes back. All of them are counted as `unavailable`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum AdmissionRefusal {
    /// The node takes no sessions at present, as it tells in handshakes.
    Closed(HandshakeRefusal),
    /// The user was disconnected while the client connected.
    Disconnected,
    /// The token was revoked while the client connected. The next CONNECT says so.
    Revoked,
    /// The client comes back over its transport, and the rate of handshakes is used up, or it does
    /// not read.
    TooManyConnects,
}

impl AdmissionRefusal {
    pub(super) const fn code(self) -> &'static str {
        match self {
            Self::Closed(refusal) => refusal.code(),
            Self::Disconnected => "disconnected",
            Self::Revoked => AuthError::Revoked.code(),
            Self::TooManyConnects => "too_many_connects",
        }
    }
}

impl From<HandshakeRefusal> for AdmissionRefusal {
    fn from(refusal: HandshakeRefusal) -> Self {
        Self::Closed(refusal)
    }
}

codes! {
    /// The way in which a client does not speak the protocol. These are listed and not counted:
    /// programs that probe every server on the internet do the same.
    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    pub(crate) enum ProtocolRefusal {
        UnknownTransport = "unknown_transport",
        /// The client wants to poll, and the server serves WebSockets alone.
        PollingIsOff = "polling_is_off",
        /// Another version of Engine.IO than 4: the client is too old.
        UnsupportedVersion = "unsupported_version",
        /// This node does not have the session of the request: the node has started anew, the
        /// session was too long without a poll, or a proxy sends its requests to several nodes.
        UnknownSession = "unknown_session",
        BadHandshakeMethod = "bad_handshake_method",
        BadRequest = "bad_request",
        /// The request for a WebSocket does not ask for an upgrade: a proxy has removed that.
        NoUpgrade = "no_upgrade",
        WebSocketVersion = "websocket_version",
        WebSocketKey = "websocket_key",
        InvalidNamespace = "invalid_namespace",
        /// The client sent an event before CONNECT.
        NotConnected = "not_connected",
        /// No CONNECT came in time.
        NoConnect = "no_connect",
    }
}

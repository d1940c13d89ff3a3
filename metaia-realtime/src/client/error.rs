//! Why a connection was not made, an event was not sent, a room was not joined.

use std::fmt;
use std::time::Duration;

use serde_json::Value;

/// Any error of an application or a transport, as a source.
pub type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// Why a connection was not made.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConnectError {
    /// The URL or a header that was given cannot be used. Not tried again.
    #[error("{0}")]
    Invalid(String),
    /// The application's credentials provider failed. Tried again.
    #[error("the credentials could not be obtained")]
    Credentials(#[source] BoxError),
    /// The server was not reached: name, TCP or TLS. Tried again.
    #[error("the server could not be reached")]
    Unreachable(#[source] BoxError),
    /// The server answered the handshake with an HTTP error. Tried again, not sooner than
    /// `retry_after`.
    #[error("the server answered HTTP {status}{}", after(.detail))]
    Http {
        /// The HTTP status.
        status: u16,
        /// The beginning of the answer's body, at most 300 characters.
        detail: String,
        /// The server's `Retry-After`, where it was given in seconds.
        retry_after: Option<Duration>,
    },
    /// The server refused the CONNECT. As official clients do, this one does not try again.
    #[error("the server refused the connection: {message}")]
    Refused {
        /// The server's code: `unauthorized`, `token_expired`, …
        message: String,
        /// What a server adds to its refusal, if anything.
        data: Option<Value>,
    },
    /// The server does not speak Socket.IO v5 over Engine.IO v4. Tried again: a proxy may have
    /// answered for it.
    #[error("the server did not follow the protocol: {0}")]
    Protocol(String),
    /// The handshake took longer than the connect timeout. Tried again.
    #[error("no connection within {} ms", .0.as_millis())]
    Timeout(Duration),
    /// The client was closed while it was connecting.
    #[error("the client was closed")]
    Closed,
}

impl ConnectError {
    /// Whether another attempt may succeed without anything being changed.
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        !matches!(self, Self::Invalid(_) | Self::Refused { .. } | Self::Closed)
    }

    /// How long the server asked to wait.
    pub(crate) fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Http { retry_after, .. } => *retry_after,
            _ => None,
        }
    }
}

fn after(detail: &str) -> String {
    if detail.is_empty() {
        String::new()
    } else {
        format!(": {detail}")
    }
}

/// Why an event was not sent or not acknowledged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SendError {
    /// There is no connection now. Nothing was sent: the client keeps nothing for later.
    #[error("not connected")]
    NotConnected,
    /// The connection ended after the event was sent and before its acknowledgement came. The
    /// server may have acted on it.
    #[error("the connection ended before the acknowledgement came")]
    Interrupted,
    /// No acknowledgement came in time. The server may have acted on the event.
    #[error("no acknowledgement within {} ms", .0.as_millis())]
    Timeout(Duration),
    /// 1,024 acknowledgements are awaited already. Nothing was sent.
    #[error("too many acknowledgements are awaited")]
    TooManyAwaited,
    /// The payload cannot be written as JSON. Nothing was sent.
    #[error("the payload is not JSON")]
    NotJson,
    /// The client was closed, or gave up. Nothing was sent.
    #[error("the client is closed")]
    Closed,
}

/// Why an order room was not joined or left.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum JoinError {
    /// The server refused, with its stable code: `forbidden`, `invalid_order_id`, `too_many_rooms`,
    /// …
    #[error("refused: {0}")]
    Refused(String),
    /// The server's answer is none that the contract knows.
    #[error("the answer was not understood: {0}")]
    Unexpected(String),
    /// The question was not sent or not answered.
    #[error("the server was not asked or did not answer")]
    Emit(#[from] SendError),
}

/// Why a connection ended. `Display` gives the words of the official clients.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum DisconnectReason {
    /// The server sent DISCONNECT: it does not want this client back, which therefore stays away.
    ServerDisconnect,
    /// The transport ended; the text says how. The client comes back.
    TransportClose(String),
    /// Nothing came from the server within ping interval and ping timeout. The client comes back.
    PingTimeout,
    /// The server sent what is no packet. The client comes back.
    ParseError(String),
    /// [`Client::close`](super::Client::close).
    ClientDisconnect,
    /// [`Client::drop_transport`](super::Client::drop_transport). The client comes back.
    Dropped,
}

impl fmt::Display for DisconnectReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::ServerDisconnect => "io server disconnect",
            Self::TransportClose(_) => "transport close",
            Self::PingTimeout => "ping timeout",
            Self::ParseError(_) => "parse error",
            Self::ClientDisconnect => "io client disconnect",
            Self::Dropped => "transport dropped",
        })
    }
}

/// Why the client will not try again.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum GaveUp {
    /// The server refused the CONNECT.
    Refused {
        /// The server's code: `unauthorized`, `token_expired`, …
        message: String,
        /// What a server adds to its refusal, if anything.
        data: Option<Value>,
    },
    /// The server ended the session by DISCONNECT.
    ServerDisconnect,
    /// [`Reconnect::max_attempts`](super::Reconnect::max_attempts) failed in a row, or the last
    /// error can never mend.
    Exhausted {
        /// The text of the last attempt's error, with its causes.
        last_error: String,
    },
}

impl fmt::Display for GaveUp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refused { message, .. } => {
                write!(f, "the server refused the connection: {message}")
            }
            Self::ServerDisconnect => f.write_str("the server ended the session"),
            Self::Exhausted { last_error } => write!(f, "no attempt succeeded: {last_error}"),
        }
    }
}

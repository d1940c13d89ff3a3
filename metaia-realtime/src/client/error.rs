//! The errors of connecting, sending, joining, fences and refreshes, and the reasons why
//! connections end.

use std::{fmt, time::Duration};

use serde_json::Value;

use super::http_answer::HttpAnswer;

/// Any error of an application or a transport.
pub type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// The reason why a connection was not made.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConnectError {
    /// The URL or a header of the configuration cannot be used. Not retried.
    #[error("{0}")]
    Invalid(String),
    /// The application's credentials provider failed. Retried.
    #[error("the credentials could not be obtained")]
    Credentials(#[source] BoxError),
    /// The server was not reached: name resolution, TCP or TLS failed. Retried.
    #[error("the server could not be reached")]
    Unreachable(#[source] BoxError),
    /// The server answered the handshake with an HTTP error. Retried, not sooner than
    /// `retry_after`.
    #[error("the server answered HTTP {status}{}", detail_suffix(.detail))]
    Http {
        /// The HTTP status.
        status: u16,
        /// The beginning of the answer's body, at most 300 characters.
        detail: String,
        /// The server's `Retry-After`, if it is in seconds.
        retry_after: Option<Duration>,
        /// The whole answer.
        answer: Box<HttpAnswer>,
    },
    /// The server refused the CONNECT. Not retried, as by official clients.
    #[error("the server refused the connection: {message}")]
    Refused {
        /// The server's code: `unauthorized`, `token_expired`, …
        message: String,
        /// Further data of the refusal, if the server sent any.
        data: Option<Value>,
    },
    /// The server does not speak Socket.IO v5 over Engine.IO v4. Retried, since the answer may come
    /// from a proxy.
    #[error("the server did not follow the protocol: {0}")]
    Protocol(String),
    /// The handshake took longer than the connect timeout. Retried.
    #[error("no connection within {} ms", .0.as_millis())]
    Timeout(Duration),
    /// The client was closed while it was connecting.
    #[error("the client was closed")]
    Closed,
}

impl ConnectError {
    /// Returns whether another attempt with the same configuration may succeed.
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        !matches!(self, Self::Invalid(_) | Self::Refused { .. } | Self::Closed)
    }

    /// Returns the time that the server asked to wait.
    pub(crate) fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Http { retry_after, .. } => *retry_after,
            _ => None,
        }
    }
}

fn detail_suffix(detail: &str) -> String {
    if detail.is_empty() {
        String::new()
    } else {
        format!(": {detail}")
    }
}

/// The reason why an event was not sent or not acknowledged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SendError {
    /// There is no connection now. Nothing was sent, and the client keeps nothing for later.
    #[error("not connected")]
    NotConnected,
    /// The connection ended after the event was sent and before its acknowledgement came. The
    /// server may have handled the event.
    #[error("the connection ended before the acknowledgement came")]
    Interrupted,
    /// The connection ended before the acknowledgement came, and the event is larger than what the
    /// server said that it takes (`maxPayload` of Engine.IO): this is probably the cause.
    #[error(
        "the connection ended before the acknowledgement came: \
         the event has {bytes} bytes, and the server takes {limit}"
    )]
    TooLarge {
        /// The size of the packet.
        bytes: usize,
        /// The largest one that the server takes.
        limit: usize,
    },
    /// No acknowledgement came in time. The server may have handled the event.
    #[error("no acknowledgement within {} ms", .0.as_millis())]
    Timeout(Duration),
    /// The acknowledgement is larger than
    /// [`ClientBuilder::max_message`](super::ClientBuilder::max_message), and was not taken. The
    /// server has handled the event.
    #[error("the acknowledgement is larger than the client takes")]
    AckTooLarge,
    /// The acknowledgement has binary attachments, which only
    /// [`emit_args_with_ack`](super::Client::emit_args_with_ack) returns. The server has handled
    /// the event.
    #[error("the acknowledgement has binary attachments: use `emit_args_with_ack`")]
    BinaryAck,
    /// The limit of 1,024 pending acknowledgements is reached. Nothing was sent.
    #[error("too many acknowledgements are awaited")]
    TooManyAwaited,
    /// The payload cannot be serialised as JSON. Nothing was sent.
    #[error("the payload is not JSON")]
    NotJson,
    /// The arguments are neither a list nor `()`. Nothing was sent.
    #[error("the arguments are not a list")]
    NotAList,
    /// The client was closed, or it gave up. Nothing was sent.
    #[error("the client is closed")]
    Closed,
}

/// The reason why an order room was not joined or left.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum JoinError {
    /// The server refused, with its stable code: `forbidden`, `invalid_order_id`, `too_many_rooms`,
    /// …
    #[error("refused: {0}")]
    Refused(String),
    /// The answer of the server is not one that the protocol defines.
    #[error("the answer of the server is unexpected: {0}")]
    Unexpected(String),
    /// The request was not sent or not answered.
    #[error("the request was not sent or not answered")]
    Emit(#[from] SendError),
}

/// The reason why [`Client::sync`](super::Client::sync) proves nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SyncError {
    /// The server refused, with its stable code: `unavailable`, `rate_limited`; `unknown_event` if
    /// it knows no fences.
    #[error("refused: {0}")]
    Refused(String),
    /// The answer of the server is not one that the protocol defines.
    #[error("the answer of the server is unexpected: {0}")]
    Unexpected(String),
    /// The request was not sent or not answered.
    #[error("the request was not sent or not answered")]
    Emit(#[from] SendError),
}

/// The reason why [`Client::refresh`](super::Client::refresh) did not replace the token.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RefreshError {
    /// The server refused, with its stable code: `unauthorized`, `token_expired`, `token_revoked`,
    /// `forbidden` (it is another user's token, or its role is unknown), `unavailable`,
    /// `rate_limited`; `unknown_event` if it cannot refresh tokens. The old token stays.
    #[error("refused: {0}")]
    Refused(String),
    /// The answer of the server is not one that the protocol defines.
    #[error("the answer of the server is unexpected: {0}")]
    Unexpected(String),
    /// The request was not sent or not answered.
    #[error("the request was not sent or not answered")]
    Emit(#[from] SendError),
}

/// The reason why a connection ended. `Display` writes the words of the official clients.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum DisconnectReason {
    /// The server sent DISCONNECT. The client does not reconnect.
    ServerDisconnect,
    /// The transport ended; the text says how. The client reconnects.
    TransportClose(String),
    /// Nothing came from the server within ping interval and ping timeout. The client reconnects.
    PingTimeout,
    /// The server sent data that is not a packet. The client reconnects.
    ParseError(String),
    /// The application called [`Client::close`](super::Client::close).
    ClientDisconnect,
    /// The application called [`Client::drop_transport`](super::Client::drop_transport). The client
    /// reconnects.
    Dropped,
}

impl DisconnectReason {
    /// Returns the text that says how the transport ended, or the name of the reason.
    pub(crate) fn detail(self) -> String {
        match self {
            Self::TransportClose(detail) | Self::ParseError(detail) => detail,
            other => other.to_string(),
        }
    }

    /// Returns the words of `Display` with the detail, if there is one.
    pub(crate) fn with_detail(&self) -> String {
        match self {
            Self::TransportClose(detail) | Self::ParseError(detail) => format!("{self}: {detail}"),
            _ => self.to_string(),
        }
    }
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

/// The reason why the client makes no other attempt.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum GaveUp {
    /// The server refused the CONNECT.
    Refused {
        /// The server's code: `unauthorized`, `token_expired`, …
        message: String,
        /// Further data of the refusal, if the server sent any.
        data: Option<Value>,
    },
    /// The server ended the session with a DISCONNECT.
    ServerDisconnect,
    /// [`Reconnect::max_attempts`](super::Reconnect::max_attempts) failed in a row, or a retry
    /// cannot mend the last error.
    Exhausted {
        /// The text of the last attempt's error, or why its connection ended, with the causes.
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

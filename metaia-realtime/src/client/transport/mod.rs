//! Sends and receives Engine.IO packets over a WebSocket, over long polling, or over polling first
//! and a WebSocket then.
//!
//! `recv` is cancel safe on every transport. `send` is not; the session always awaits its end.

mod endpoint;
mod link;
mod polling;
mod refused_upgrade;
mod tls;
mod websocket;

pub(crate) use endpoint::Endpoint;
pub(crate) use link::ServerLink;

use super::{error::DisconnectReason, packet::DecodeError};
use crate::values::MAX_ENTRY_BYTES;

/// Returns the largest packet that a transport reads, in bytes. It is larger than what the client
/// takes: the position of an event that is passed over is read from its packet.
fn max_packet(endpoint: &Endpoint) -> usize {
    endpoint.max_message.max(MAX_ENTRY_BYTES)
}

/// The reason why a transport ended.
#[derive(Debug)]
pub(crate) enum TransportError {
    /// It was closed; the text says how.
    Closed(String),
    /// The server sent data that is not a packet.
    Parse(DecodeError),
}

impl From<DecodeError> for TransportError {
    fn from(error: DecodeError) -> Self {
        Self::Parse(error)
    }
}

impl From<TransportError> for DisconnectReason {
    fn from(error: TransportError) -> Self {
        match error {
            TransportError::Closed(detail) => Self::TransportClose(detail),
            TransportError::Parse(error) => Self::ParseError(error_chain(&error)),
        }
    }
}

/// Returns an error and its causes in one line.
pub(crate) fn error_chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let cause_text = cause.to_string();
        // Some crates repeat the cause in their own text.
        if !text.ends_with(&cause_text) {
            if !text.is_empty() {
                text.push_str(": ");
            }
            text.push_str(&cause_text);
        }
        source = cause.source();
    }
    text
}

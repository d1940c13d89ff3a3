//! Sends and receives Engine.IO packets over a WebSocket, over long polling, or over polling first
//! and a WebSocket then.
//!
//! `recv` is cancel safe on every transport. `send` is not; the session always awaits its end.

mod endpoint;
mod frame_skimmer;
mod link;
mod polling;
mod refused_upgrade;
mod skimmed_stream;
mod tls;
mod websocket;

pub(crate) use endpoint::Endpoint;
pub(crate) use link::ServerLink;

use super::{error::DisconnectReason, packet::DecodeError};

/// The bytes that a packet may have beyond the client's limit: the head of a packet, and the
/// system's own events, which have no limit, are smaller.
const SPARE_BYTES: usize = 64 * 1024;

/// The largest answer to the handshake over polling, in bytes.
const MAX_HANDSHAKE_BYTES: usize = 1024 * 1024;

/// Returns the size of the largest packet that a transport keeps, in bytes. Of a larger one it
/// keeps what the packet is about.
fn max_kept(endpoint: &Endpoint) -> usize {
    endpoint.max_message.saturating_add(SPARE_BYTES)
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

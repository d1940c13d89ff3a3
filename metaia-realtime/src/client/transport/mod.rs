//! Engine.IO packets to and from a server, over a WebSocket, long polling, or the one and then the
//! other.
//!
//! `recv` is cancel safe on every transport, `send` is not: the session always lets it end.

mod endpoint;
mod link;
mod polling;
mod tls;
mod websocket;

pub(crate) use endpoint::Endpoint;
pub(crate) use link::Link;

use super::error::DisconnectReason;
use super::packet::DecodeError;

/// How a transport ended.
#[derive(Debug)]
pub(crate) enum TransportError {
    Closed(String),
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
            TransportError::Parse(error) => Self::ParseError(chain(&error)),
        }
    }
}

/// An error and its causes in one line. Some crates repeat the cause in their own text; it is then
/// said once.
pub(crate) fn chain(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(Some(error), |error| error.source());
    causes
        .map(ToString::to_string)
        .fold(String::new(), |said, next| match said.as_str() {
            "" => next,
            earlier if earlier.ends_with(&next) => said,
            earlier => format!("{earlier}: {next}"),
        })
}

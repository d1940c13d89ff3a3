//! What an embedder sets of the transport.

use std::collections::BTreeSet;

/// Which origins browsers may connect from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Origins {
    Any,
    These(BTreeSet<String>),
}

/// Which transports clients may use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Transports {
    /// Polling, WebSocket, and the upgrade from one to the other: what official clients do by
    /// default.
    All,
    /// Only WebSocket: for clusters without sticky sessions.
    WebSocketOnly,
}

/// The settings of a node's transport.
#[derive(Debug, Clone)]
pub(crate) struct Settings {
    pub(crate) origins: Origins,
    pub(crate) transports: Transports,
    /// Whether a token may also come as `?token=` of the handshake.
    pub(crate) token_in_query: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            origins: Origins::Any,
            transports: Transports::All,
            token_in_query: false,
        }
    }
}

//! The transport settings that an embedder chooses.

use std::collections::BTreeSet;

/// The origins that browsers may connect from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Origins {
    Any,
    These(BTreeSet<String>),
}

/// The transports that clients may use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Transports {
    /// Polling, WebSocket, and the upgrade from polling to WebSocket. Official clients use both by
    /// default.
    All,
    /// WebSocket alone, for clusters without sticky sessions.
    WebSocketOnly,
}

/// The settings of a node's transport.
#[derive(Debug, Clone)]
pub(crate) struct Settings {
    pub(crate) origins: Origins,
    pub(crate) transports: Transports,
    /// Accepts a token as `?token=` of the handshake, too.
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

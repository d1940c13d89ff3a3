//! The transport settings that an embedder chooses.

use std::{collections::BTreeSet, net::IpAddr};

use super::origin::{InvalidOrigin, TrustedProxy, WebOrigin};

/// The origins that browsers may connect from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Origins {
    Any,
    These(BTreeSet<WebOrigin>),
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
    /// The proxies that say by which scheme and host a client addressed the server.
    pub(crate) trusted_proxies: Vec<TrustedProxy>,
    pub(crate) transports: Transports,
    /// Accepts a token as `?token=` of the handshake, too.
    pub(crate) token_in_query: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            origins: Origins::Any,
            trusted_proxies: Vec::new(),
            transports: Transports::All,
            token_in_query: false,
        }
    }
}

impl Origins {
    /// Reads the origins that an embedder gave. `None`: any.
    pub(crate) fn read(given: Option<Vec<String>>) -> Result<Self, InvalidOrigin> {
        let Some(given) = given else {
            return Ok(Self::Any);
        };
        let origins = given.iter().map(|origin| origin.parse());
        origins.collect::<Result<_, _>>().map(Self::These)
    }
}

impl Settings {
    /// Returns whether this peer is a proxy whose headers count.
    pub(crate) fn trusts(&self, peer: Option<IpAddr>) -> bool {
        let contains = |peer| {
            self.trusted_proxies
                .iter()
                .any(|proxy| proxy.contains(peer))
        };
        peer.is_some_and(contains)
    }
}

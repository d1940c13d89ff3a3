//! The peer address that a `GuardedListener` hands to another HTTP server.

use std::net::SocketAddr;

use super::Connection;

/// The address of the peer of a connection that a `GuardedListener` accepted.
///
/// It also carries the connection itself, so that the transport can find it in a request.
#[derive(Debug, Clone)]
pub struct PeerAddr(pub(crate) Connection);

impl PeerAddr {
    /// Returns the socket address of the peer.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.0.peer()
    }
}

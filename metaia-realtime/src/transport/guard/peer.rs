//! The peer address that a `GuardedListener` hands to another HTTP server.

use std::net::SocketAddr;

use super::Connection;

/// The connect info of a `GuardedListener`: the address of the peer, and the connection itself.
///
/// The transport finds the connection of a request by it, which a `SocketAddr` does not allow. The
/// [layer](crate::Realtime::layer) adds the `SocketAddr`: handlers inside of it may extract
/// `ConnectInfo<SocketAddr>`, too.
#[derive(Debug, Clone)]
pub struct PeerAddr(pub(crate) Connection);

impl PeerAddr {
    /// Returns the socket address of the peer.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.0.peer()
    }
}

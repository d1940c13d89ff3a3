//! The other end of a connection, as a server that is not ours hands it on.

use std::net::SocketAddr;

use super::Connection;

/// Who is at the other end of a connection of a `GuardedListener`; by it the transport finds the
/// connection.
#[derive(Debug, Clone)]
pub struct PeerAddr(pub(crate) Connection);

impl PeerAddr {
    /// The address.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.0.peer()
    }
}

//! The ways in which a client can reach the server. To a test they are all the same: what is
//! promised holds over each of them.

use std::net::Ipv4Addr;

use crate::server::Listening;

/// The transport of a client.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// The connection begins as a WebSocket.
    WebSocket,
    /// The client polls and upgrades while it connects, as the official clients do by default.
    Upgraded,
    /// The client only polls.
    Polling,
}

impl Way {
    /// Each way once.
    pub const ALL: [Self; 3] = [Self::WebSocket, Self::Upgraded, Self::Polling];

    /// Returns the `n`th way, in turn.
    #[must_use]
    pub const fn nth(n: usize) -> Self {
        Self::ALL[n % Self::ALL.len()]
    }
}

/// A server that phones reach in a certain way.
#[derive(Debug, Clone, Copy)]
pub struct Reached<S> {
    server: S,
    way: Way,
    from: Option<Ipv4Addr>,
}

impl<S: Listening> Reached<S> {
    /// Lets phones reach the server in this way.
    #[must_use]
    pub const fn by(way: Way, server: S) -> Self {
        Self {
            server,
            way,
            from: None,
        }
    }

    /// Lets phones that need several connections open them from this address, so that a balancer
    /// recognises them.
    #[must_use]
    pub fn from(self, from: Ipv4Addr) -> Self {
        Self {
            from: Some(from),
            ..self
        }
    }
}

impl<S: Listening> Listening for Reached<S> {
    fn port(&self) -> u16 {
        self.server.port()
    }

    fn url(&self) -> String {
        self.server.url()
    }

    fn way(&self) -> Way {
        self.way
    }

    fn client_address(&self) -> Option<Ipv4Addr> {
        self.from
    }
}

//! Ports that no other process takes while they are unused.

use std::net::TcpListener;

use crate::fixtures::seeded_rng::SeededRng;

/// The ports are below the range from which the system takes ports for outgoing connections. A
/// client that keeps trying to connect to an unused port of that range would one day be given that
/// very port as its local one, connect to itself, and keep the server from starting.
const FIRST_PORT: u64 = 10_000;
const PORT_COUNT: u64 = 20_000;

/// Returns a port that no process listens on now.
#[must_use]
pub fn unused() -> u16 {
    let (mut rng, _) = SeededRng::random();
    loop {
        let port = u16::try_from(FIRST_PORT + rng.below(PORT_COUNT)).expect("a port");
        if TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return port;
        }
    }
}

/// The address of a server that may be gone.
#[derive(Debug, Clone, Copy)]
pub struct Port(pub u16);

impl crate::server::Listening for Port {
    fn port(&self) -> u16 {
        self.0
    }
}

//! Ports that stay one's own while nobody listens on them.

use std::net::TcpListener;

use crate::fixtures::chance::Chance;

/// Below the range from which the system takes ports for outgoing connections. A client that tries
/// again and again to reach a port of that range while nobody listens there would one day be given
/// the port itself, and keep the server from starting.
const FIRST: u64 = 10_000;
const COUNT: u64 = 20_000;

/// A port that nobody listens on now.
#[must_use]
pub fn unused() -> u16 {
    let (mut chance, _) = Chance::fresh();
    loop {
        let port = u16::try_from(FIRST + chance.below(COUNT)).expect("a port");
        if TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return port;
        }
    }
}

/// An address whose server may be gone.
#[derive(Debug, Clone, Copy)]
pub struct Port(pub u16);

impl crate::server::Listening for Port {
    fn port(&self) -> u16 {
        self.0
    }
}

//! The packets in the answers to polls, however their bytes are cut into pieces. Pure kernels.
//!
//! The scanner counts Socket.IO DISCONNECT, EVENT and ACK packets (`41`, `42`, `43`), which come
//! from the session. It does not count the answer to a CONNECT, which the transport adds. Pings
//! (`2`) are those of Engine.IO, not of WebSocket.
//!
//! The first bytes identify a packet. The server writes no other packet that begins with `2`.

mod payload;

pub(super) use payload::PacketScanner;

/// The packets in a piece of the bytes written.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(in super::super) struct Written {
    /// Counted packets.
    pub(in super::super) packets: u64,
    /// The number of counted packets before the last ping, if the piece has a ping.
    pub(in super::super) before_ping: Option<u64>,
}

impl Written {
    fn add(&mut self, kind: Kind) {
        match kind {
            Kind::Counted => self.packets += 1,
            Kind::Ping => self.before_ping = Some(self.packets),
            Kind::Other => {}
        }
    }
}

/// The kind of a written packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Counted,
    Ping,
    Other,
}

impl Kind {
    /// Returns the kind of a packet.
    pub(super) const fn of(packet: &str) -> Self {
        match packet.as_bytes() {
            [b'2', ..] => Self::Ping,
            [first, second, ..] => Self::from_first_two([*first, *second]),
            _ => Self::Other,
        }
    }

    const fn from_first_two(first_two: [u8; 2]) -> Self {
        match first_two {
            [b'4', b'1'..=b'3'] => Self::Counted,
            _ => Self::Other,
        }
    }
}

#[cfg(test)]
mod tests;

//! Incremental scanners for the bytes that pass over a connection, however they are cut into
//! pieces. Pure kernels.
//!
//! The scanners count Socket.IO DISCONNECT, EVENT and ACK packets (`41`, `42`, `43`), which come
//! from the session. They do not count the answer to a CONNECT, which the transport adds. Pings
//! (`2`) and pongs (`3`) are those of Engine.IO, not of WebSocket.
//!
//! The first bytes identify a packet. The server writes no other packet that begins with `2`. The
//! engine, too, takes every packet that begins with `3` for a pong. Only `3probe`, the answer to
//! the probe of an upgrade, is no pong: a server writes it and never receives it.

mod frames;
#[cfg_attr(
    not(feature = "axum"),
    allow(dead_code, reason = "used by serve alone")
)]
mod head;
mod payload;
mod pongs;

pub(crate) use frames::FrameScanner;
pub(super) use head::HeadScanner;
pub(crate) use payload::PacketScanner;
pub(crate) use pongs::PongScanner;

/// The packets in a piece of the bytes written.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Written {
    /// Counted packets.
    pub(crate) packets: u64,
    /// The number of counted packets before the last ping, if the piece has a ping.
    pub(crate) before_ping: Option<u64>,
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
enum Kind {
    Counted,
    Ping,
    Other,
}

impl Kind {
    const fn from_first_two(first_two: [u8; 2]) -> Self {
        match first_two {
            [b'4', b'1'..=b'3'] => Self::Counted,
            _ => Self::Other,
        }
    }
}

#[cfg(test)]
mod tests;

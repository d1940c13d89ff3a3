//! What passes over a connection, recognised as it is cut: pure kernels.
//!
//! Counted are Socket.IO DISCONNECT, EVENT and ACK packets (`41`, `42`, `43`), which the session
//! hands over; not the CONNECT answer, which the transport adds. Pings (`2`) and pongs (`3`) are
//! Engine.IO's own, not WebSocket's. A packet is known by its first bytes: the server writes no
//! other packet that begins with `2`, and what begins with `3` is a pong to the engine too, but for
//! the probe of an upgrade, which a server answers and never gets.

mod frames;
mod payload;
mod pongs;

pub(crate) use frames::FrameScanner;
pub(crate) use payload::PacketScanner;
pub(crate) use pongs::PongScanner;

/// What stood in a piece of what was written.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Written {
    /// Counted packets.
    pub(crate) packets: u64,
    /// How many of them came before the last ping, where there was one.
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

/// What a written packet is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Counted,
    Ping,
    Other,
}

impl Kind {
    const fn of_first_two(first_two: [u8; 2]) -> Self {
        match first_two {
            [b'4', b'1'..=b'3'] => Self::Counted,
            _ => Self::Other,
        }
    }
}

#[cfg(test)]
mod tests;

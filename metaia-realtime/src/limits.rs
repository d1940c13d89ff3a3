//! Every limit of the library, with its default.

use std::time::Duration;

/// What a client may ask of this node. Build from [`Limits::default`] and change what differs; the
/// builder validates.
///
/// ```
/// use metaia_realtime::Limits;
/// let mut limits = Limits::default();
/// limits.sessions = 1_000;
/// assert!(limits.validate().is_ok());
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    /// Largest inbound message, and WebSocket frame, in bytes: 64 KiB.
    pub message_bytes: usize,
    /// Largest encoded entry, in bytes: 64 KiB.
    pub entry_bytes: usize,
    /// How long a connection may stay unauthenticated: 5 s.
    pub unauthenticated: Duration,
    /// After so many refused CONNECTs the transport is closed: 3.
    pub refused_connects: u32,
    /// How often the server pings: 25 s.
    pub ping_interval: Duration,
    /// How long it waits for the pong: 20 s.
    pub ping_timeout: Duration,
    /// Credit window of a session, in entries handed over and not yet written: 256.
    pub window_entries: usize,
    /// The same, in bytes: 256 KiB. An empty window always takes one entry.
    pub window_bytes: usize,
    /// Inbound events per second of a session: 20.
    pub inbound_per_s: u32,
    /// And at once: 40. Beyond it they are refused, and when as many again were refused the
    /// transport is closed.
    pub inbound_burst: u32,
    /// Rooms of a session, its role's and its user's included: 128.
    pub rooms_per_session: usize,
    /// Sessions of one user on this node: 16. One more closes the least recently active one's
    /// transport.
    pub sessions_per_user: usize,
    /// Sessions of this node: 50,000. Over it handshakes are answered 503 with `Retry-After`.
    pub sessions: usize,
    /// Handshakes per second of this node: 500. Over it: 503 with `Retry-After`.
    pub handshakes_per_s: u32,
    /// Longest token, in bytes: 4 KiB.
    pub token_bytes: usize,
    /// A connection to which nothing more could be written for so long is closed: 15 s. On Linux
    /// some kilobytes that its peer takes make place for more; elsewhere the kernel waits for more
    /// than that, and slow peers are closed earlier.
    pub write_stall: Duration,
    /// TCP connections of one listener: 120,000. Over it they are answered 503 with `Retry-After`.
    /// A session that polls has two, and may leave others behind.
    pub connections: usize,
    /// The head of a request must be there in this time, also on a connection that had requests
    /// before: 10 s.
    pub request_head: Duration,
    /// And its body, the whole of it: 30 s.
    pub request_body: Duration,
    /// Most entries that one resume replays: 10,000. Beyond it: `rt:reset` with `too_old`.
    pub replay_entries: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            message_bytes: 64 * 1024,
            entry_bytes: 64 * 1024,
            unauthenticated: Duration::from_secs(5),
            refused_connects: 3,
            ping_interval: Duration::from_secs(25),
            ping_timeout: Duration::from_secs(20),
            window_entries: 256,
            window_bytes: 256 * 1024,
            inbound_per_s: 20,
            inbound_burst: 40,
            rooms_per_session: 128,
            sessions_per_user: 16,
            sessions: 50_000,
            handshakes_per_s: 500,
            token_bytes: 4 * 1024,
            write_stall: Duration::from_secs(15),
            connections: 120_000,
            request_head: Duration::from_secs(10),
            request_body: Duration::from_secs(30),
            replay_entries: 10_000,
        }
    }
}

/// A limit that cannot be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the limit {name} must be {rule}")]
pub struct InvalidLimit {
    /// The field of [`Limits`].
    pub name: &'static str,
    /// What it must be.
    pub rule: &'static str,
}

/// Sessions join two rooms by themselves that clients know of: their role's and their user's.
const AUTOMATIC_ROOMS: usize = 2;

/// What the transport's queue takes beyond the credit window: pings, CONNECT, acks. Its size is
/// 1,024 packets.
pub(crate) const TRANSPORT_QUEUE: usize = 1_024;

impl Limits {
    /// Whether every limit can be.
    ///
    /// # Errors
    /// The first that cannot.
    pub fn validate(&self) -> Result<(), InvalidLimit> {
        let rules: [(bool, &str, &str); 15] = [
            (
                self.message_bytes >= 1_024,
                "message_bytes",
                "at least 1,024",
            ),
            (self.entry_bytes >= 1_024, "entry_bytes", "at least 1,024"),
            (
                !self.unauthenticated.is_zero(),
                "unauthenticated",
                "above zero",
            ),
            (self.refused_connects >= 1, "refused_connects", "at least 1"),
            (!self.ping_interval.is_zero(), "ping_interval", "above zero"),
            (!self.ping_timeout.is_zero(), "ping_timeout", "above zero"),
            (
                (1..=TRANSPORT_QUEUE / 2).contains(&self.window_entries),
                "window_entries",
                "from 1 to 512",
            ),
            (self.window_bytes >= 1_024, "window_bytes", "at least 1,024"),
            (
                self.inbound_per_s >= 1 && self.inbound_burst >= 1,
                "inbound_per_s, inbound_burst",
                "at least 1",
            ),
            (
                self.rooms_per_session >= AUTOMATIC_ROOMS,
                "rooms_per_session",
                "at least 2",
            ),
            (
                self.sessions_per_user >= 1 && self.sessions >= 1,
                "sessions_per_user, sessions",
                "at least 1",
            ),
            (self.handshakes_per_s >= 1, "handshakes_per_s", "at least 1"),
            (!self.write_stall.is_zero(), "write_stall", "above zero"),
            (self.connections >= 1, "connections", "at least 1"),
            (
                !self.request_head.is_zero() && !self.request_body.is_zero(),
                "request_head, request_body",
                "above zero",
            ),
        ];
        match rules.into_iter().find(|(holds, ..)| !holds) {
            Some((_, name, rule)) => Err(InvalidLimit { name, rule }),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_defaults_can_be_and_nonsense_cannot() {
        assert_eq!(Limits::default().validate(), Ok(()));
        let limits = Limits {
            window_entries: 1_024,
            ..Limits::default()
        };
        assert_eq!(limits.validate().unwrap_err().name, "window_entries");
    }
}

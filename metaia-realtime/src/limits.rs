//! All limits of a node, with their defaults.

use std::time::Duration;

/// The limits of a node. Start from [`Limits::default`] and change the fields that differ; the
/// builder validates the result.
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
    /// Largest inbound message and WebSocket frame, in bytes: 64 KiB.
    pub message_bytes: usize,
    /// Largest encoded entry, in bytes: 64 KiB, at most [`MAX_ENTRY_BYTES`](Self::MAX_ENTRY_BYTES).
    /// Larger events are refused before they are stored, and larger volatile events before they are
    /// sent. Every client must be able to read the largest event: a client that closes its
    /// connection because of it is sent it again at each reconnect. The client of this crate takes
    /// 1 MiB unless it is told otherwise, and passes over larger events.
    pub entry_bytes: usize,
    /// Time that a connection may stay unauthenticated: 5 s. The authenticator's time is part of
    /// it.
    pub unauthenticated: Duration,
    /// Refused CONNECTs after which the transport is closed: 3.
    pub refused_connects: u32,
    /// Interval between the server's pings: 25 s.
    pub ping_interval: Duration,
    /// Time that the server waits for a pong: 20 s.
    pub ping_timeout: Duration,
    /// Credit window of a session, in entries that are handed over and not yet written: 256.
    pub window_entries: usize,
    /// Credit window of a session, in bytes: 256 KiB. An empty window always accepts one entry.
    pub window_bytes: usize,
    /// Volatile events that wait for one session: 256, and at most
    /// [`window_bytes`](Self::window_bytes) of them, or one event. Beyond that the event that was
    /// sent first is dropped: one for which a newer one of its key waits, if there is any. While a
    /// client is slow, only one of each key waits.
    pub volatile_waiting: usize,
    /// Inbound events of a session per second: 20. Joins and leaves have this rate of their own.
    pub inbound_per_s: u32,
    /// Inbound events of a session at once, without joins and leaves: 40. Further events are
    /// refused. A client that sends more than twice its rate for 5 s without a pause is
    /// disconnected.
    pub inbound_burst: u32,
    /// Joins and leaves of order rooms at once, of a session: 128.
    pub room_events_burst: u32,
    /// Largest argument of a join or a leave, in bytes: 1 KiB.
    pub room_event_bytes: usize,
    /// Inbound events of a session that wait to be handled, in bytes: 256 KiB. Further events are
    /// refused. One event may always wait.
    pub inbound_bytes: usize,
    /// Access decisions of a user at once, on this node: 256. Further joins are refused, and the
    /// rooms that a client names when it connects wait.
    pub access_decisions_burst: u32,
    /// Access decisions of a user per second, on this node: 50.
    pub access_decisions_per_s: u32,
    /// Time for which a recheck of an order's room that the policy cannot decide holds back what
    /// follows it, in the whole session: 5 s, and at most 15 s, from the recheck on. Until then the
    /// policy is asked again; then the session leaves that room (`rt:room_left` with
    /// `unavailable`), and receives what was held back. Rechecks of several orders have this time
    /// side by side, each from its own beginning. It is also the time that the policy has for one
    /// decision of a recheck, if it is below 5 s.
    pub recheck_hold: Duration,
    /// Rooms of a session, with the rooms of its role and its user: 128.
    pub rooms_per_session: usize,
    /// Sessions of one user on this node: 16. One more closes the transport of the least recently
    /// active session, whose client reconnects and closes another in turn: choose more than a user
    /// has devices.
    pub sessions_per_user: usize,
    /// Sessions of this node: 50,000. Further handshakes receive 503 with `Retry-After`.
    pub sessions: usize,
    /// Handshakes of this node per second, over all of its listeners and layers: 500. Further
    /// handshakes receive 503 with `Retry-After`.
    pub handshakes_per_s: u32,
    /// Longest token, in bytes: 4 KiB. A longer one counts as absent.
    pub token_bytes: usize,
    /// Time after which a connection that accepts no more bytes is closed: 15 s. On Linux a peer
    /// that reads some kilobytes makes space for more; on other systems the kernel waits for more
    /// than that, so slow peers are closed earlier.
    pub write_stall: Duration,
    /// TCP connections of one server, over all of its listeners: 120,000. Further connections
    /// receive 503 with `Retry-After`. A polling session uses two connections, and idle keep-alive
    /// connections may remain after it: while nine of ten connections are used, each new one closes
    /// the one that has been idle for longest.
    pub connections: usize,
    /// Time within which the head of a request must arrive, from its first byte: 10 s. A new
    /// connection must send that byte within this time, too.
    pub request_head: Duration,
    /// Time that a connection stays open after an answered request, while nothing of the next one
    /// comes: 75 s. Clients are told five seconds less (`Keep-Alive: timeout=70`). Choose more than
    /// a proxy before the server keeps its own connections.
    pub keep_alive: Duration,
    /// Time within which the whole body of a request must arrive: 30 s.
    pub request_body: Duration,
    /// Entries that one resume replays: 10,000. If more are missing, the client receives `rt:reset`
    /// with `too_old`.
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
            volatile_waiting: 256,
            inbound_per_s: 20,
            inbound_burst: 40,
            room_events_burst: 128,
            room_event_bytes: 1_024,
            inbound_bytes: 256 * 1024,
            access_decisions_burst: 256,
            access_decisions_per_s: 50,
            recheck_hold: Duration::from_secs(5),
            rooms_per_session: 128,
            sessions_per_user: 16,
            sessions: 50_000,
            handshakes_per_s: 500,
            token_bytes: 4 * 1024,
            write_stall: Duration::from_secs(15),
            connections: 120_000,
            request_head: Duration::from_secs(10),
            keep_alive: Duration::from_secs(75),
            request_body: Duration::from_secs(30),
            replay_entries: 10_000,
        }
    }
}

/// Error for a limit with an impossible value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the limit {name} must be {rule}")]
pub struct InvalidLimit {
    /// The field of [`Limits`].
    pub name: &'static str,
    /// The rule that the value breaks, as it continues "must be …".
    pub rule: &'static str,
}

/// The longest time for which a recheck may hold back a session: nothing that follows the recheck
/// reaches the client meanwhile.
const LONGEST_RECHECK_HOLD: Duration = Duration::from_secs(15);

/// Rooms that every session joins by itself and that clients know: the role's and the user's.
const AUTOMATIC_ROOMS: usize = 2;

/// Size of the transport's queue, in packets. The credit window may fill half of it; pings, CONNECT
/// and acks need the rest.
pub(crate) const TRANSPORT_QUEUE: usize = 1_024;

/// A rule on limits: the fields, what they must be, and whether they are.
type Rule = (&'static str, &'static str, bool);

impl Limits {
    /// The largest possible [`entry_bytes`](Self::entry_bytes): 8 MiB.
    pub const MAX_ENTRY_BYTES: usize = 8 * 1024 * 1024;

    /// Checks every limit.
    ///
    /// # Errors
    /// Returns [`InvalidLimit`] for the first limit with an impossible value.
    pub fn validate(&self) -> Result<(), InvalidLimit> {
        let rules = self.size_rules().into_iter();
        let rules = rules.chain(self.count_rules()).chain(self.time_rules());
        for (name, rule, holds) in rules {
            if !holds {
                return Err(InvalidLimit { name, rule });
            }
        }
        Ok(())
    }

    fn size_rules(&self) -> [Rule; 5] {
        let rule = "at least 1,024";
        let order_id = "at least 128";
        let entry = "from 1,024 to 8,388,608";
        let entry_fits = (1_024..=Self::MAX_ENTRY_BYTES).contains(&self.entry_bytes);
        [
            ("message_bytes", rule, self.message_bytes >= 1_024),
            ("entry_bytes", entry, entry_fits),
            ("window_bytes", rule, self.window_bytes >= 1_024),
            ("inbound_bytes", rule, self.inbound_bytes >= 1_024),
            ("room_event_bytes", order_id, self.room_event_bytes >= 128),
        ]
    }

    fn count_rules(&self) -> [Rule; 10] {
        let window_fits = (1..=TRANSPORT_QUEUE / 2).contains(&self.window_entries);
        let inbound = self.inbound_per_s >= 1 && self.inbound_burst >= 1;
        let has_automatic_rooms = self.rooms_per_session >= AUTOMATIC_ROOMS;
        let sessions = self.sessions_per_user >= 1 && self.sessions >= 1;
        let decisions = self.access_decisions_burst >= 1 && self.access_decisions_per_s >= 1;
        let one = "at least 1";
        [
            ("refused_connects", one, self.refused_connects >= 1),
            ("window_entries", "from 1 to 512", window_fits),
            ("volatile_waiting", one, self.volatile_waiting >= 1),
            ("inbound_per_s, inbound_burst", one, inbound),
            ("room_events_burst", one, self.room_events_burst >= 1),
            (
                "access_decisions_burst, access_decisions_per_s",
                one,
                decisions,
            ),
            ("rooms_per_session", "at least 2", has_automatic_rooms),
            ("sessions_per_user, sessions", one, sessions),
            ("handshakes_per_s", one, self.handshakes_per_s >= 1),
            ("connections", one, self.connections >= 1),
        ]
    }

    fn time_rules(&self) -> [Rule; 7] {
        let has_request_times = !self.request_head.is_zero() && !self.request_body.is_zero();
        let is_held_for_a_time = !self.recheck_hold.is_zero();
        let is_hold_short = self.recheck_hold <= LONGEST_RECHECK_HOLD;
        let hold = "above zero, and at most 15 s";
        let rule = "above zero";
        [
            ("unauthenticated", rule, !self.unauthenticated.is_zero()),
            ("ping_interval", rule, !self.ping_interval.is_zero()),
            ("ping_timeout", rule, !self.ping_timeout.is_zero()),
            ("write_stall", rule, !self.write_stall.is_zero()),
            ("keep_alive", rule, !self.keep_alive.is_zero()),
            ("request_head, request_body", rule, has_request_times),
            ("recheck_hold", hold, is_held_for_a_time && is_hold_short),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    type Change = fn(&mut Limits);

    /// Checks that a change of the defaults is refused, and by which rule.
    #[track_caller]
    fn check_refused(change: Change, name: &str, rule: &str) {
        let mut limits = Limits::default();
        change(&mut limits);
        let refused = limits.validate().unwrap_err();
        assert_eq!((refused.name, refused.rule), (name, rule));
    }

    /// Checks that a change of the defaults is accepted.
    #[track_caller]
    fn check_accepted(change: Change) {
        let mut limits = Limits::default();
        change(&mut limits);
        assert_eq!(limits.validate(), Ok(()), "{limits:?}");
    }

    #[test]
    fn the_defaults_are_valid() {
        check_accepted(|_| {});
    }

    #[test]
    fn sizes_have_a_minimum() {
        let rule = "at least 1,024";
        check_refused(|limits| limits.message_bytes = 1_023, "message_bytes", rule);
        check_refused(|limits| limits.window_bytes = 1_023, "window_bytes", rule);
        check_refused(|limits| limits.inbound_bytes = 1_023, "inbound_bytes", rule);
        check_refused(
            |limits| limits.room_event_bytes = 127,
            "room_event_bytes",
            "at least 128",
        );
        check_accepted(|limits| {
            limits.message_bytes = 1_024;
            limits.entry_bytes = 1_024;
            limits.window_bytes = 1_024;
            limits.inbound_bytes = 1_024;
            limits.room_event_bytes = 128;
        });
    }

    #[test]
    fn an_entry_is_no_larger_than_what_clients_read() {
        let rule = "from 1,024 to 8,388,608";
        check_refused(|limits| limits.entry_bytes = 1_023, "entry_bytes", rule);
        check_refused(
            |limits| limits.entry_bytes = Limits::MAX_ENTRY_BYTES + 1,
            "entry_bytes",
            rule,
        );
        check_refused(
            |limits| limits.entry_bytes = usize::MAX,
            "entry_bytes",
            rule,
        );
        check_accepted(|limits| limits.entry_bytes = Limits::MAX_ENTRY_BYTES);
    }

    #[test]
    fn counts_have_a_minimum() {
        let one = "at least 1";
        let inbound = "inbound_per_s, inbound_burst";
        let sessions = "sessions_per_user, sessions";
        check_refused(
            |limits| limits.refused_connects = 0,
            "refused_connects",
            one,
        );
        check_refused(|limits| limits.inbound_per_s = 0, inbound, one);
        check_refused(|limits| limits.inbound_burst = 0, inbound, one);
        check_refused(|limits| limits.sessions_per_user = 0, sessions, one);
        check_refused(|limits| limits.sessions = 0, sessions, one);
        check_refused(
            |limits| limits.handshakes_per_s = 0,
            "handshakes_per_s",
            one,
        );
        check_refused(|limits| limits.connections = 0, "connections", one);
        check_refused(
            |limits| limits.volatile_waiting = 0,
            "volatile_waiting",
            one,
        );
        check_refused(
            |limits| limits.rooms_per_session = 1,
            "rooms_per_session",
            "at least 2",
        );
        check_accepted(|limits| {
            limits.refused_connects = 1;
            limits.inbound_per_s = 1;
            limits.inbound_burst = 1;
            limits.sessions_per_user = 1;
            limits.sessions = 1;
            limits.handshakes_per_s = 1;
            limits.connections = 1;
            limits.volatile_waiting = 1;
            limits.rooms_per_session = 2;
        });
    }

    #[test]
    fn joins_have_a_minimum() {
        let one = "at least 1";
        let decisions = "access_decisions_burst, access_decisions_per_s";
        let burst = "room_events_burst";
        check_refused(|limits| limits.room_events_burst = 0, burst, one);
        check_refused(|limits| limits.access_decisions_burst = 0, decisions, one);
        check_refused(|limits| limits.access_decisions_per_s = 0, decisions, one);
        check_accepted(|limits| {
            limits.room_events_burst = 1;
            limits.access_decisions_burst = 1;
            limits.access_decisions_per_s = 1;
        });
    }

    #[test]
    fn the_window_fits_into_the_transports_queue() {
        let rule = "from 1 to 512";
        check_refused(|limits| limits.window_entries = 0, "window_entries", rule);
        check_refused(|limits| limits.window_entries = 513, "window_entries", rule);
        check_accepted(|limits| limits.window_entries = 1);
        check_accepted(|limits| limits.window_entries = 512);
    }

    #[test]
    fn times_are_above_zero() {
        let rule = "above zero";
        let request = "request_head, request_body";
        check_refused(
            |limits| limits.unauthenticated = Duration::ZERO,
            "unauthenticated",
            rule,
        );
        check_refused(
            |limits| limits.ping_interval = Duration::ZERO,
            "ping_interval",
            rule,
        );
        check_refused(
            |limits| limits.ping_timeout = Duration::ZERO,
            "ping_timeout",
            rule,
        );
        check_refused(
            |limits| limits.write_stall = Duration::ZERO,
            "write_stall",
            rule,
        );
        check_refused(
            |limits| limits.keep_alive = Duration::ZERO,
            "keep_alive",
            rule,
        );
        check_refused(|limits| limits.request_head = Duration::ZERO, request, rule);
        check_refused(|limits| limits.request_body = Duration::ZERO, request, rule);
    }

    #[test]
    fn a_session_is_held_back_for_15_s_at_most() {
        let rule = "above zero, and at most 15 s";
        let name = "recheck_hold";
        check_refused(|limits| limits.recheck_hold = Duration::ZERO, name, rule);
        let beyond: Change = |limits| limits.recheck_hold = Duration::from_millis(15_001);
        check_refused(beyond, name, rule);
        check_accepted(|limits| limits.recheck_hold = Duration::from_millis(1));
        check_accepted(|limits| limits.recheck_hold = Duration::from_secs(15));
    }

    /// 0 means: clients always reload, and tokens are always refused.
    #[test]
    fn what_may_be_zero() {
        check_accepted(|limits| limits.replay_entries = 0);
        check_accepted(|limits| limits.token_bytes = 0);
    }

    #[test]
    fn the_error_names_the_limit_and_the_rule() {
        let limits = Limits {
            connections: 0,
            ..Limits::default()
        };
        let text = limits.validate().unwrap_err().to_string();
        assert_eq!(text, "the limit connections must be at least 1");
    }
}

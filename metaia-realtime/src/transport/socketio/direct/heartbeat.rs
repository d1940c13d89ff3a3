//! The pings of Engine.IO v4: the first one interval after the opening, then one interval after
//! each pong. A pure kernel.

use std::time::Duration;

use tokio::time::Instant;

use crate::values::after;

/// The pings of one connection.
#[derive(Debug)]
pub(super) struct Heartbeat {
    interval: Duration,
    timeout: Duration,
    state: State,
}

#[derive(Debug, Clone, Copy)]
enum State {
    /// The next ping is sent then.
    Resting(Instant),
    /// A ping was sent, which must be answered by then.
    Pinged(Instant),
}

/// The pings of the engine, which sends one at the end of each interval, up to `now`.
#[derive(Debug, Clone, Copy)]
pub(super) struct EnginePings {
    pub(super) opened_at: Instant,
    pub(super) now: Instant,
    /// The number of pings that the client has answered.
    pub(super) pongs: u64,
    /// The client has yet to answer the last one.
    pub(super) is_pinged: bool,
}

/// The step that is due.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum PingDue {
    Nothing,
    Ping,
    /// The client did not answer in time.
    TimedOut,
}

impl Heartbeat {
    pub(super) fn new(interval: Duration, timeout: Duration, now: Instant) -> Self {
        Self {
            interval,
            timeout,
            state: State::Resting(after(now, interval)),
        }
    }

    /// Creates the heartbeat that follows `engine`'s.
    pub(super) fn following(engine: EnginePings, interval: Duration, timeout: Duration) -> Self {
        let intervals = Intervals::since(engine.opened_at, interval, engine.now);
        let state = if engine.is_pinged {
            // A pong must not count for a ping that the client has not received.
            State::Pinged(after(intervals.last_end, timeout))
        } else if engine.pongs < intervals.ended {
            // The engine has yet to send the ping of the last interval. A client gives up a server
            // that is late.
            State::Resting(intervals.last_end)
        } else {
            State::Resting(after(intervals.last_end, interval))
        };
        Self {
            interval,
            timeout,
            state,
        }
    }

    /// Returns when something is due.
    pub(super) const fn deadline(&self) -> Instant {
        match self.state {
            State::Resting(at) | State::Pinged(at) => at,
        }
    }

    /// Returns what is due. A ping counts as sent.
    pub(super) fn due(&mut self, now: Instant) -> PingDue {
        if now < self.deadline() {
            return PingDue::Nothing;
        }
        match self.state {
            State::Pinged(_) => PingDue::TimedOut,
            State::Resting(_) => {
                self.state = State::Pinged(after(now, self.timeout));
                PingDue::Ping
            }
        }
    }

    /// Records a pong. One that answers no ping changes nothing.
    pub(super) fn pong(&mut self, now: Instant) {
        if let State::Pinged(_) = self.state {
            self.state = State::Resting(after(now, self.interval));
        }
    }
}

/// The intervals that have ended.
#[derive(Debug, Clone, Copy)]
struct Intervals {
    ended: u64,
    /// The end of the last one, or the start of the first if none has ended.
    last_end: Instant,
}

impl Intervals {
    /// Returns those between `start` and `now`.
    fn since(start: Instant, interval: Duration, now: Instant) -> Self {
        let elapsed = now.saturating_duration_since(start).as_nanos();
        let interval = interval.as_nanos();
        let ended = elapsed.checked_div(interval).unwrap_or(0);
        let rest = elapsed.checked_rem(interval).unwrap_or(0);
        Self {
            ended: u64::try_from(ended).unwrap_or(u64::MAX),
            last_end: now - Duration::from_nanos(u64::try_from(rest).unwrap_or(0)),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn a_ping_follows_each_pong_after_the_interval() {
        let start = Instant::now();
        let mut heartbeat = Heartbeat::new(25 * SECOND, 20 * SECOND, start);
        assert_eq!(heartbeat.due(start + 24 * SECOND), PingDue::Nothing);
        // An unsolicited pong does not put off the ping.
        heartbeat.pong(start + 24 * SECOND);
        assert_eq!(heartbeat.due(start + 25 * SECOND), PingDue::Ping);
        assert_eq!(heartbeat.due(start + 44 * SECOND), PingDue::Nothing);
        heartbeat.pong(start + 44 * SECOND);
        assert_eq!(heartbeat.deadline(), start + 69 * SECOND);
    }

    #[test]
    fn a_ping_that_was_sent_before_is_answered_before_the_next_one() {
        let start = Instant::now();
        let engine = EnginePings {
            opened_at: start - 25 * SECOND,
            now: start,
            pongs: 0,
            is_pinged: true,
        };
        let awaiting = || Heartbeat::following(engine, 25 * SECOND, 40 * SECOND);
        let mut heartbeat = awaiting();
        assert_eq!(heartbeat.due(start + 39 * SECOND), PingDue::Nothing);
        heartbeat.pong(start + 39 * SECOND);
        assert_eq!(heartbeat.deadline(), start + 64 * SECOND);
        assert_eq!(awaiting().due(start + 40 * SECOND), PingDue::TimedOut);
    }

    #[test]
    fn the_heartbeat_of_the_engine_goes_on() {
        let opened_at = Instant::now();
        let next = |seconds: u32, pongs, is_pinged| {
            let engine = EnginePings {
                opened_at,
                now: opened_at + seconds * SECOND,
                pongs,
                is_pinged,
            };
            let heartbeat = Heartbeat::following(engine, 25 * SECOND, 20 * SECOND);
            heartbeat.deadline().duration_since(opened_at).as_secs()
        };
        assert_eq!(next(3, 0, false), 25);
        assert_eq!(next(30, 1, false), 50);
        assert_eq!(next(30, 0, true), 45, "the client has yet to answer");
        assert_eq!(next(25, 0, false), 25, "the engine is late");
        assert_eq!(next(76, 2, false), 75, "the engine is late");
        assert_eq!(next(99, 3, false), 100);
    }

    #[test]
    fn intervals_may_be_as_short_or_as_long_as_can_be() {
        let opened_at = Instant::now();
        for interval in [Duration::ZERO, Duration::MAX] {
            let intervals = Intervals::since(opened_at, interval, opened_at);
            assert_eq!((intervals.ended, intervals.last_end), (0, opened_at));
        }
    }

    #[test]
    fn times_may_be_as_long_as_can_be() {
        let start = Instant::now();
        let mut heartbeat = Heartbeat::new(Duration::MAX, Duration::MAX, start);
        heartbeat.pong(start);
        assert_eq!(heartbeat.due(start + 1_000_000 * SECOND), PingDue::Nothing);
    }

    #[test]
    fn a_client_that_does_not_answer_is_given_up() {
        let start = Instant::now();
        let mut heartbeat = Heartbeat::new(25 * SECOND, 20 * SECOND, start);
        assert_eq!(heartbeat.due(start + 25 * SECOND), PingDue::Ping);
        assert_eq!(heartbeat.due(start + 45 * SECOND), PingDue::TimedOut);
    }

    proptest! {
        /// Pongs and looks at the clock come at any times: between a pong, or the start, and the
        /// next ping there is exactly one interval, and only an unanswered ping times out.
        #[test]
        fn pings_keep_their_interval(
            steps in proptest::collection::vec((0u32..30, any::<bool>()), 0..200)
        ) {
            let mut now = Instant::now();
            let mut heartbeat = Heartbeat::new(25 * SECOND, 20 * SECOND, now);
            let mut is_pinged = false;
            let mut since = now;
            for (seconds, is_pong) in steps {
                now += seconds * SECOND;
                if is_pong {
                    heartbeat.pong(now);
                    if is_pinged {
                        since = now;
                        is_pinged = false;
                    }
                    continue;
                }
                let after = if is_pinged { 20 } else { 25 } * SECOND;
                let expected = match (now < since + after, is_pinged) {
                    (true, _) => PingDue::Nothing,
                    (false, false) => PingDue::Ping,
                    (false, true) => PingDue::TimedOut,
                };
                prop_assert_eq!(heartbeat.deadline(), since + after);
                prop_assert_eq!(heartbeat.due(now), expected);
                match expected {
                    PingDue::Nothing => {}
                    PingDue::TimedOut => return Ok(()),
                    PingDue::Ping => {
                        is_pinged = true;
                        since = now;
                    }
                }
            }
        }
    }
}

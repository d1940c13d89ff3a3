//! The pings of Engine.IO v4: the first one interval after the opening, then one interval after
//! each pong. A pure kernel.

use std::time::Duration;

use tokio::time::Instant;

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

    /// Creates the heartbeat of a client whose last ping, sent at `pinged_at`, is not answered. The
    /// next one waits for that answer: a pong must not count for a ping that the client has not
    /// received.
    pub(super) fn awaiting_pong(interval: Duration, timeout: Duration, pinged_at: Instant) -> Self {
        Self {
            interval,
            timeout,
            state: State::Pinged(after(pinged_at, timeout)),
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

/// Returns the last instant before `now` at which an interval ended that began at `start`, or a
/// whole number of intervals after that.
pub(super) fn last_interval_end(start: Instant, interval: Duration, now: Instant) -> Instant {
    let elapsed = now.saturating_duration_since(start).as_nanos();
    let since = elapsed.checked_rem(interval.as_nanos()).unwrap_or(0);
    now - Duration::from_nanos(u64::try_from(since).unwrap_or(0))
}

/// A time that is far enough away to count as never.
const NEVER: Duration = Duration::from_secs(30 * 365 * 24 * 3_600);

/// Returns the instant that follows `now` by `time`, however long that is: a limit may be
/// `Duration::MAX`.
pub(in crate::transport::socketio) fn after(now: Instant, time: Duration) -> Instant {
    now.checked_add(time).unwrap_or_else(|| now + NEVER)
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
        let awaiting = || Heartbeat::awaiting_pong(25 * SECOND, 40 * SECOND, start);
        let mut heartbeat = awaiting();
        assert_eq!(heartbeat.due(start + 39 * SECOND), PingDue::Nothing);
        heartbeat.pong(start + 39 * SECOND);
        assert_eq!(heartbeat.deadline(), start + 64 * SECOND);
        assert_eq!(awaiting().due(start + 40 * SECOND), PingDue::TimedOut);
    }

    #[test]
    fn intervals_go_on_from_their_start() {
        let start = Instant::now();
        let last = |seconds| {
            let now = start + seconds * SECOND;
            last_interval_end(start, 25 * SECOND, now).duration_since(start)
        };
        assert_eq!(last(3), Duration::ZERO);
        assert_eq!(last(25), 25 * SECOND);
        assert_eq!(last(99), 75 * SECOND);
        assert_eq!(last_interval_end(start, Duration::ZERO, start), start);
        assert_eq!(last_interval_end(start, Duration::MAX, start), start);
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

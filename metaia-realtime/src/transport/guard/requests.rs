//! The requests of an HTTP/1 connection, and the time by which the next must come. A pure kernel.
//!
//! HTTP itself has one timer for the head of a request, which also runs while a connection is idle.
//! Here they differ: a connection that is kept alive may be idle for longer than a head may take.

use std::time::Duration;

use tokio::time::Instant;

use super::head::HeadScanner;
use crate::values::after;

/// The times for which a connection may wait for a request.
#[derive(Debug, Clone, Copy)]
pub(crate) struct RequestTimeouts {
    /// From the first byte of a head to its last. A new connection must send the first byte within
    /// this time, too.
    pub(crate) head: Duration,
    /// From an answer to the first byte of the next request.
    pub(crate) keep_alive: Duration,
}

/// The activity of a connection.
#[derive(Debug)]
enum RequestPhase {
    /// No request has come yet.
    New { until: Instant },
    /// The head of a request has begun.
    Head { until: Instant },
    /// A request is being answered.
    Serving,
    /// HTTP has the whole answer, and has not written all of it.
    Answered,
    /// The last request is answered, and nothing of the next has come.
    Idle { until: Instant },
    /// The connection is to be closed, unless a request has come before that was noticed.
    Closing { until: Instant },
}

/// The requests of one connection.
#[derive(Debug)]
pub(super) struct Requests {
    timeouts: RequestTimeouts,
    phase: RequestPhase,
    head: HeadScanner,
    /// Bytes that came after the head of the current request. `None`: it is not known where that
    /// head ended.
    surplus: Option<usize>,
    /// The length of the body of the current request, if it is known.
    body: Option<u64>,
}

impl Requests {
    pub(super) fn new(timeouts: RequestTimeouts, now: Instant) -> Self {
        Self {
            timeouts,
            phase: RequestPhase::New {
                until: after(now, timeouts.head),
            },
            head: HeadScanner::default(),
            surplus: None,
            body: None,
        }
    }

    /// Returns when the connection is to end, unless something comes before.
    pub(super) const fn deadline(&self) -> Option<Instant> {
        match self.phase {
            RequestPhase::New { until }
            | RequestPhase::Head { until }
            | RequestPhase::Idle { until }
            | RequestPhase::Closing { until } => Some(until),
            RequestPhase::Serving | RequestPhase::Answered => None,
        }
    }

    pub(super) const fn is_idle(&self) -> bool {
        matches!(self.phase, RequestPhase::Idle { .. })
    }

    /// Records bytes that the peer sent.
    pub(super) fn read(&mut self, bytes: &[u8], now: Instant) {
        match self.phase {
            RequestPhase::Serving | RequestPhase::Answered => {
                self.surplus = self.surplus.map(|surplus| surplus + bytes.len());
            }
            _ => self.read_head(bytes, now),
        }
    }

    fn read_head(&mut self, bytes: &[u8], now: Instant) {
        if let Some(surplus) = &mut self.surplus {
            *surplus += bytes.len();
            return;
        }
        self.surplus = self.head.scan(bytes);
        let was_begun = matches!(self.phase, RequestPhase::Head { .. });
        if self.head.has_begun() && !was_begun {
            self.begin_head(now);
        }
    }

    fn begin_head(&mut self, now: Instant) {
        self.phase = RequestPhase::Head {
            until: after(now, self.timeouts.head),
        };
    }

    /// Records that HTTP has read a head. `body` is the length of the body, if it is known.
    pub(super) const fn serve(&mut self, body: Option<u64>) {
        self.phase = RequestPhase::Serving;
        self.body = body;
    }

    /// Records that HTTP has the whole answer.
    pub(super) const fn answer(&mut self) {
        if matches!(self.phase, RequestPhase::Serving) {
            self.phase = RequestPhase::Answered;
        }
    }

    /// Records that everything HTTP had was written. Returns whether that was the end of an answer.
    pub(super) fn flush(&mut self, now: Instant) -> bool {
        if !matches!(self.phase, RequestPhase::Answered) {
            return false;
        }
        if self.has_next_head() {
            self.begin_head(now);
        } else {
            let until = after(now, self.timeouts.keep_alive);
            self.phase = RequestPhase::Idle { until };
        }
        self.head = HeadScanner::default();
        self.surplus = None;
        true
    }

    /// Returns whether a part of the next head has come with the last request.
    ///
    /// This is not known after a body of unknown length, and after the second of several requests
    /// that came at once. Then the connection counts as idle.
    fn has_next_head(&self) -> bool {
        match (self.surplus, self.body) {
            (Some(surplus), Some(body)) => surplus as u64 > body,
            _ => false,
        }
    }

    /// Ends the connection if it is idle. Returns whether it was.
    pub(super) const fn end_if_idle(&mut self, now: Instant) -> bool {
        let is_idle = self.is_idle();
        if is_idle {
            self.phase = RequestPhase::Closing { until: now };
        }
        is_idle
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const HEAD: Duration = Duration::from_secs(10);
    const KEEP_ALIVE: Duration = Duration::from_secs(75);
    const GET: &[u8] = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n";

    #[test]
    fn times_may_be_as_long_as_can_be() {
        let timeouts = RequestTimeouts {
            head: Duration::MAX,
            keep_alive: Duration::MAX,
        };
        let now = Instant::now();
        let mut requests = Requests::new(timeouts, now);
        requests.read(GET, now);
        requests.serve(Some(0));
        requests.answer();
        requests.flush(now);
        assert!(requests.is_idle() && requests.deadline() > Some(now));
    }

    struct Clock {
        start: Instant,
        requests: Requests,
    }

    impl Clock {
        fn start() -> Self {
            let start = Instant::now();
            let timeouts = RequestTimeouts {
                head: HEAD,
                keep_alive: KEEP_ALIVE,
            };
            Self {
                start,
                requests: Requests::new(timeouts, start),
            }
        }

        fn at(&self, seconds: u64) -> Instant {
            self.start + Duration::from_secs(seconds)
        }

        fn read(&mut self, bytes: &[u8], seconds: u64) {
            self.requests.read(bytes, self.at(seconds));
        }

        /// Answers a request whose body has this length, and writes the answer.
        fn answer(&mut self, body: Option<u64>, seconds: u64) {
            self.requests.serve(body);
            self.requests.flush(self.at(seconds));
            assert_eq!(self.requests.deadline(), None, "the answer is not complete");
            self.requests.answer();
            self.requests.flush(self.at(seconds));
        }

        #[track_caller]
        fn check(&self, deadline: u64, is_idle: bool) {
            assert_eq!(self.requests.deadline(), Some(self.at(deadline)));
            assert_eq!(self.requests.is_idle(), is_idle);
        }
    }

    #[test]
    fn a_head_has_its_time_from_its_first_byte() {
        let mut clock = Clock::start();
        clock.check(10, false);
        clock.read(b"\r\n", 8);
        clock.check(10, false);
        clock.read(&GET[..1], 9);
        clock.read(&GET[1..9], 15);
        clock.check(19, false);
    }

    #[test]
    fn an_answered_connection_is_idle_until_the_next_byte() {
        let mut clock = Clock::start();
        clock.read(GET, 1);
        clock.answer(Some(0), 5);
        clock.check(80, true);
        clock.read(b"\r\n", 20);
        clock.check(80, true);
        clock.read(b"G", 70);
        clock.check(80, false);
        clock.read(&GET[1..], 79);
        clock.answer(Some(0), 90);
        clock.check(165, true);
    }

    #[test]
    fn a_body_is_not_the_next_head() {
        let mut clock = Clock::start();
        clock.read(&[GET, b"12"].concat(), 1);
        clock.requests.serve(Some(5));
        clock.read(b"345", 2);
        clock.requests.answer();
        clock.requests.flush(clock.at(3));
        clock.check(78, true);
    }

    #[test]
    fn a_head_may_begin_behind_the_last_request() {
        for (sent, body, deadline, is_idle) in [
            ([GET, b"GET /"].concat(), Some(0), 15, false),
            ([GET, b"12345GET"].concat(), Some(5), 15, false),
            ([GET, b"12345"].concat(), Some(5), 80, true),
            // It cannot be told where the body ends.
            (
                [GET, b"5\r\n12345\r\n0\r\n\r\nGET"].concat(),
                None,
                80,
                true,
            ),
        ] {
            let mut clock = Clock::start();
            clock.read(&sent, 1);
            clock.answer(body, 5);
            clock.check(deadline, is_idle);
        }
    }

    #[test]
    fn only_an_idle_connection_can_be_ended_and_a_request_may_come_first() {
        let mut clock = Clock::start();
        assert!(!clock.requests.end_if_idle(clock.at(0)));
        clock.read(GET, 1);
        assert!(!clock.requests.end_if_idle(clock.at(1)));
        clock.answer(Some(0), 2);
        assert!(clock.requests.end_if_idle(clock.at(3)));
        clock.check(3, false);
        clock.read(&GET[..1], 4);
        clock.check(14, false);
    }

    proptest! {
        /// However reads divide the bytes of a head, its time begins with its first byte, and it
        /// is idle after its answer unless more has come.
        #[test]
        fn reads_may_divide_requests_anywhere(
            cut in 1usize..26,
            next in 0usize..9,
        ) {
            let mut clock = Clock::start();
            clock.read(&GET[..cut], 3);
            clock.read(&[&GET[cut..], &GET[..next]].concat(), 5);
            clock.check(13, false);
            clock.answer(Some(0), 6);
            if next == 0 {
                clock.check(81, true);
            } else {
                clock.check(16, false);
            }
        }
    }
}

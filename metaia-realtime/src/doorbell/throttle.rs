//! Which rings are believed: a pure kernel.
//!
//! A ring that promises nothing new is free. One that does has the log looked at. Until that look
//! has shown what was promised, no other ring causes one, for 100 ms at most: so forged rings cost
//! one look per 100 ms, however many they are, and true ones that come close together share one.

use std::time::Duration;

use tokio::time::Instant;

use crate::doorbell::log_head::LogHead;

/// How long a look that has not shown what was promised stands for all that is promised meanwhile.
pub(crate) const DOUBT: Duration = Duration::from_millis(100);

/// What has been promised, and what was done about it.
#[derive(Debug, Default)]
pub(crate) struct Throttle {
    look: Option<Look>,
    /// Promised since the look, and not believed yet.
    wanted: Option<LogHead>,
}

#[derive(Debug, Clone, Copy)]
struct Look {
    promised: LogHead,
    since: Instant,
}

/// What a ring is answered with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Answer {
    /// Nothing: it is known.
    Known,
    /// Look at the log now.
    Look,
    /// A look is under way: see [`Throttle::due`].
    Wait,
}

impl Throttle {
    /// Somebody says that the log goes up to `at`; it is known up to `known`.
    pub(crate) fn notify(&mut self, at: LogHead, known: LogHead, now: Instant) -> Answer {
        if !at.is_beyond(known) {
            return Answer::Known;
        }
        if self.is_looking(known, now) {
            // Of two epochs the one heard last is taken: nobody can say which is the newer one.
            if self.wanted.is_none_or(|wanted| at.is_beyond(wanted)) {
                self.wanted = Some(at);
            }
            return Answer::Wait;
        }
        self.wanted = None;
        self.look = Some(Look {
            promised: at,
            since: now,
        });
        Answer::Look
    }

    /// The log is known up to `known`, or time has passed. Answers whether to look now.
    pub(crate) fn settle(&mut self, known: LogHead, now: Instant) -> bool {
        self.wanted = self.wanted.filter(|wanted| wanted.is_beyond(known));
        match self.wanted {
            Some(wanted) => self.notify(wanted, known, now) == Answer::Look,
            None => false,
        }
    }

    /// When to call [`settle`](Self::settle) at the latest, where something waits.
    pub(crate) fn due(&self) -> Option<Instant> {
        self.wanted.and(self.look).map(|look| look.since + DOUBT)
    }

    fn is_looking(&self, known: LogHead, now: Instant) -> bool {
        self.look
            .is_some_and(|look| look.promised.is_beyond(known) && now < look.since + DOUBT)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::values::Epoch;

    fn at(n: u64) -> LogHead {
        LogHead {
            epoch: Epoch::from_bits(1),
            n,
        }
    }

    fn ms(n: u64) -> Duration {
        Duration::from_millis(n)
    }

    #[tokio::test(start_paused = true)]
    async fn a_ring_for_what_is_known_is_free() {
        let (mut belief, now) = (Throttle::default(), Instant::now());
        for n in [0, 6, 7] {
            assert_eq!(belief.notify(at(n), at(7), now), Answer::Known);
        }
        assert_eq!(belief.due(), None);
    }

    #[tokio::test(start_paused = true)]
    async fn true_rings_are_believed_as_fast_as_the_log_can_be_read() {
        let (mut belief, now) = (Throttle::default(), Instant::now());
        assert_eq!(belief.notify(at(8), at(7), now), Answer::Look);
        assert_eq!(belief.notify(at(9), at(7), now + ms(1)), Answer::Wait);
        assert!(belief.settle(at(8), now + ms(2)), "the first was true");
        assert!(!belief.settle(at(9), now + ms(3)));
        assert_eq!(belief.notify(at(10), at(9), now + ms(3)), Answer::Look);
    }

    #[tokio::test(start_paused = true)]
    async fn after_a_false_ring_a_true_one_is_believed_soon() {
        let (mut belief, now) = (Throttle::default(), Instant::now());
        assert_eq!(belief.notify(at(u64::MAX), at(7), now), Answer::Look);
        assert_eq!(belief.notify(at(8), at(7), now + ms(10)), Answer::Wait);
        assert_eq!(belief.due(), Some(now + ms(100)));
        assert!(!belief.settle(at(7), now + ms(99)));
        assert!(belief.settle(at(7), now + ms(100)));
        assert_eq!(belief.due(), None);
    }

    #[tokio::test(start_paused = true)]
    async fn another_epoch_is_looked_for() {
        let (mut belief, now) = (Throttle::default(), Instant::now());
        let restored = LogHead {
            epoch: Epoch::from_bits(2),
            n: 3,
        };
        assert_eq!(belief.notify(restored, at(7), now), Answer::Look);
        assert_eq!(belief.notify(restored, restored, now), Answer::Known);
    }

    proptest! {
        /// Whatever rings, and however the log grows: never two looks within 100 ms that were both
        /// in vain, and nothing that was truly promised waits for more than 100 ms.
        #[test]
        fn looks_in_vain_are_few_and_promises_are_kept(
            steps in proptest::collection::vec((0u64..40, 0u64..30, 0u64..3), 1..300),
        ) {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
            let _entered = runtime.enter();
            let (mut belief, mut now, mut known) = (Throttle::default(), Instant::now(), 10u64);
            let mut look: Option<(u64, Instant)> = None;
            let mut open: Option<(u64, Instant)> = None;
            for (pass, promise, grow) in steps {
                now += ms(pass);
                if belief.due().is_some_and(|due| due <= now) || grow > 0 {
                    known += grow;
                    if belief.settle(at(known), now) {
                        prop_assert!(look.is_none_or(|(n, since)| n <= known || now >= since + DOUBT));
                        look = Some((open.map_or(0, |(n, _)| n), now));
                        open = None;
                    }
                }
                let n = known - 8 + promise;
                match belief.notify(at(n), at(known), now) {
                    Answer::Known => prop_assert!(n <= known),
                    Answer::Look => {
                        prop_assert!(look.is_none_or(|(n, since)| n <= known || now >= since + DOUBT));
                        (look, open) = (Some((n, now)), None);
                    }
                    Answer::Wait => {
                        let since = open.map_or(now, |(_, since)| since);
                        open = Some((n.max(open.map_or(0, |(n, _)| n)), since));
                        prop_assert!(belief.due().is_some_and(|due| due <= since + DOUBT));
                    }
                }
            }
        }
    }
}

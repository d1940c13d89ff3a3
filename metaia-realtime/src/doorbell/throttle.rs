//! The throttle: decides which notifications wake the log. A pure kernel.
//!
//! A notification names a head of the log. If this node knows that head, nothing happens. Otherwise
//! the notification wakes the log. Until the log has reached the named head, but for at most 100 ms
//! (`WAKEUP_INTERVAL`), no other notification wakes the log again. So any number of forged
//! notifications causes one read per 100 ms, and true ones that arrive close together share a read.

use std::time::Duration;

use tokio::time::Instant;

use crate::doorbell::log_head::LogHead;

/// The time between two wakeups, if the log has not reached the named head after the first.
const WAKEUP_INTERVAL: Duration = Duration::from_millis(100);

/// The heads that notifications named, and the last wakeup for them.
#[derive(Debug, Default)]
pub(crate) struct Throttle {
    wakeup: Option<Wakeup>,
    /// The furthest head that was named since the wakeup. It waits for the next wakeup.
    pending: Option<LogHead>,
}

#[derive(Debug, Clone, Copy)]
struct Wakeup {
    named: LogHead,
    at: Instant,
}

/// The consequence of a notification.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ThrottleDecision {
    /// Do nothing: the named head is known.
    Known,
    /// Wake the log now.
    Wake,
    /// Wait, because the log was woken lately: see [`Throttle::due`].
    Wait,
}

impl Throttle {
    /// Takes a notification that the log goes up to `named`, while this node knows it up to
    /// `known`.
    pub(crate) fn notify(
        &mut self,
        named: LogHead,
        known: LogHead,
        now: Instant,
    ) -> ThrottleDecision {
        if !named.is_beyond(known) {
            return ThrottleDecision::Known;
        }
        if self.is_waking(known, now) {
            // Of two epochs the last is kept: the throttle cannot tell which is the newer one.
            if self.pending.is_none_or(|head| named.is_beyond(head)) {
                self.pending = Some(named);
            }
            return ThrottleDecision::Wait;
        }
        self.pending = None;
        self.wakeup = Some(Wakeup { named, at: now });
        ThrottleDecision::Wake
    }

    /// Returns whether to wake the log now, because it is known up to `known` or time has passed.
    pub(crate) fn settle(&mut self, known: LogHead, now: Instant) -> bool {
        self.pending = self.pending.filter(|head| head.is_beyond(known));
        match self.pending {
            Some(head) => self.notify(head, known, now) == ThrottleDecision::Wake,
            None => false,
        }
    }

    /// Returns the time by which to call [`settle`](Self::settle), if a head is pending.
    pub(crate) fn due(&self) -> Option<Instant> {
        self.pending?;
        let wakeup = self.wakeup?;
        Some(wakeup.at + WAKEUP_INTERVAL)
    }

    /// Returns whether the log may still reach the named head after the last wakeup.
    fn is_waking(&self, known: LogHead, now: Instant) -> bool {
        let Some(wakeup) = self.wakeup else {
            return false;
        };
        wakeup.named.is_beyond(known) && now < wakeup.at + WAKEUP_INTERVAL
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
    async fn a_notification_of_a_known_head_is_free() {
        let mut throttle = Throttle::default();
        let now = Instant::now();
        for n in [0, 6, 7] {
            assert_eq!(throttle.notify(at(n), at(7), now), ThrottleDecision::Known);
        }
        assert_eq!(throttle.due(), None);
    }

    #[tokio::test(start_paused = true)]
    async fn true_notifications_wake_as_fast_as_the_log_can_be_read() {
        let mut throttle = Throttle::default();
        let now = Instant::now();
        assert_eq!(throttle.notify(at(8), at(7), now), ThrottleDecision::Wake);
        assert_eq!(
            throttle.notify(at(9), at(7), now + ms(1)),
            ThrottleDecision::Wait
        );
        assert!(
            throttle.settle(at(8), now + ms(2)),
            "the first notification was true"
        );
        assert!(!throttle.settle(at(9), now + ms(3)));
        assert_eq!(
            throttle.notify(at(10), at(9), now + ms(3)),
            ThrottleDecision::Wake
        );
    }

    #[tokio::test(start_paused = true)]
    async fn after_a_forged_notification_a_true_one_wakes_soon() {
        let mut throttle = Throttle::default();
        let now = Instant::now();
        assert_eq!(
            throttle.notify(at(u64::MAX), at(7), now),
            ThrottleDecision::Wake
        );
        assert_eq!(
            throttle.notify(at(8), at(7), now + ms(10)),
            ThrottleDecision::Wait
        );
        assert_eq!(throttle.due(), Some(now + ms(100)));
        assert!(!throttle.settle(at(7), now + ms(99)));
        assert!(throttle.settle(at(7), now + ms(100)));
        assert_eq!(throttle.due(), None);
    }

    #[tokio::test(start_paused = true)]
    async fn another_epoch_wakes_the_log() {
        let mut throttle = Throttle::default();
        let now = Instant::now();
        let restored = LogHead {
            epoch: Epoch::from_bits(2),
            n: 3,
        };
        assert_eq!(
            throttle.notify(restored, at(7), now),
            ThrottleDecision::Wake
        );
        assert_eq!(
            throttle.notify(restored, restored, now),
            ThrottleDecision::Known
        );
    }

    proptest! {
        /// Whatever heads are named, and however the log grows, two wakeups in vain are at least
        /// 100 ms apart, and no true notification waits for more than 100 ms.
        #[test]
        fn wakeups_in_vain_are_few_and_true_notifications_are_prompt(
            steps in proptest::collection::vec((0u64..40, 0u64..30, 0u64..3), 1..300),
        ) {
            let mut builder = tokio::runtime::Builder::new_current_thread();
            let runtime = builder.enable_time().start_paused(true).build().unwrap();
            let _entered = runtime.enter();
            let mut throttle = Throttle::default();
            let mut now = Instant::now();
            let mut known = 10u64;
            // The head that was named, and when.
            let mut wakeup: Option<(u64, Instant)> = None;
            let mut pending: Option<(u64, Instant)> = None;
            for (pass, ahead, grow) in steps {
                now += ms(pass);
                let may_wake = |wakeup: Option<(u64, Instant)>, known| {
                    wakeup.is_none_or(|(n, at)| n <= known || now >= at + WAKEUP_INTERVAL)
                };
                if throttle.due().is_some_and(|due| due <= now) || grow > 0 {
                    known += grow;
                    if throttle.settle(at(known), now) {
                        prop_assert!(may_wake(wakeup, known));
                        wakeup = Some((pending.map_or(0, |(n, _)| n), now));
                        pending = None;
                    }
                }
                let n = known - 8 + ahead;
                match throttle.notify(at(n), at(known), now) {
                    ThrottleDecision::Known => prop_assert!(n <= known),
                    ThrottleDecision::Wake => {
                        prop_assert!(may_wake(wakeup, known));
                        wakeup = Some((n, now));
                        pending = None;
                    }
                    ThrottleDecision::Wait => {
                        let (furthest, since) = pending.unwrap_or((0, now));
                        pending = Some((n.max(furthest), since));
                        let latest = since + WAKEUP_INTERVAL;
                        prop_assert!(throttle.due().is_some_and(|due| due <= latest));
                    }
                }
            }
        }
    }
}

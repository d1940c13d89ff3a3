//! The delay before the next attempt: exponential, jittered, and at least as long as the server
//! asks for.

use std::time::Duration;

/// The rule that says when and how often a lost connection is retried.
///
/// The delays are those of the official clients: `min`, doubling up to `max`. Each is changed at
/// random by up to half of itself, so that the clients of a restarted server do not reconnect at
/// the same time. The count restarts when a session is ready: with `rt:ready`, or, for servers that
/// do not send it, after 10 s.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Reconnect {
    /// The first delay.
    pub min: Duration,
    /// The longest delay. A longer `Retry-After` of the server wins over it.
    pub max: Duration,
    /// The number of failed attempts in a row after which the client gives up; `None` for no limit.
    /// A connection that is accepted and lost before the session is ready is a failed attempt, too.
    pub max_attempts: Option<u32>,
}

impl Default for Reconnect {
    /// Returns delays of 1 s, doubling up to 5 s, without a limit of attempts.
    fn default() -> Self {
        Self {
            min: Duration::from_secs(1),
            max: Duration::from_secs(5),
            max_attempts: None,
        }
    }
}

impl Reconnect {
    /// Returns whether attempt number `attempt` (from 1) may still be made.
    pub(crate) fn allows(&self, attempt: u32) -> bool {
        self.max_attempts.is_none_or(|max| attempt <= max)
    }

    /// Returns the delay before attempt number `attempt` (from 1). `chance` is uniform in `0..1`.
    ///
    /// `retry_after` is the time that the server asked for. The delay is never shorter; the jitter
    /// is added to it.
    pub(crate) fn delay(
        &self,
        attempt: u32,
        retry_after: Option<Duration>,
        chance: f64,
    ) -> Duration {
        let chance = chance.clamp(0.0, 1.0);
        match retry_after {
            Some(retry_after) => retry_after.saturating_add(self.min.mul_f64(chance)),
            None => self
                .exponential(attempt)
                .mul_f64(0.5 + chance)
                .min(self.max),
        }
    }

    fn exponential(&self, attempt: u32) -> Duration {
        // At most 31: `1 << 32` overflows a `u32`.
        let doublings = attempt.saturating_sub(1).min(31);
        self.min.saturating_mul(1 << doublings).min(self.max)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn delays_double_up_to_the_limit() {
        let delays = [1, 2, 3, 4, 100].map(|n| Reconnect::default().delay(n, None, 0.5));
        assert_eq!(
            delays,
            [SECOND, 2 * SECOND, 4 * SECOND, 5 * SECOND, 5 * SECOND]
        );
    }

    #[test]
    fn jitter_moves_a_delay_by_half_of_itself() {
        let reconnect = Reconnect::default();
        assert_eq!(reconnect.delay(1, None, 0.0), SECOND / 2);
        assert_eq!(reconnect.delay(1, None, 1.0), SECOND * 3 / 2);
    }

    #[test]
    fn a_server_is_not_retried_sooner_than_it_asked() {
        let asked = Some(30 * SECOND);
        assert_eq!(Reconnect::default().delay(1, asked, 0.0), 30 * SECOND);
        assert_eq!(Reconnect::default().delay(1, asked, 1.0), 31 * SECOND);
    }

    #[test]
    fn attempts_end_at_their_limit() {
        let reconnect = Reconnect {
            max_attempts: Some(2),
            ..Reconnect::default()
        };
        assert_eq!([1, 2, 3].map(|n| reconnect.allows(n)), [true, true, false]);
        assert!(Reconnect::default().allows(u32::MAX));
    }

    proptest! {
        #[test]
        fn no_delay_is_beyond_its_limit(
            attempt: u32,
            chance in 0.0..1.0f64,
            min in 0u64..1 << 40,
            max in 0u64..1 << 40,
        ) {
            let reconnect = Reconnect {
                min: Duration::from_millis(min),
                max: Duration::from_millis(max),
                max_attempts: None,
            };
            prop_assert!(reconnect.delay(attempt, None, chance) <= reconnect.max);
        }

        #[test]
        fn no_delay_is_shorter_than_the_server_asked(seconds: u64, chance in 0.0..1.0f64) {
            let asked = Duration::from_secs(seconds);
            prop_assert!(Reconnect::default().delay(1, Some(asked), chance) >= asked);
        }
    }
}

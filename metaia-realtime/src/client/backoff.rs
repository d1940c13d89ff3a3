//! How long to wait before the next attempt: exponential, jittered, at least as long as the server
//! asks for.

use std::time::Duration;

/// When and how often a lost connection is tried again.
///
/// The delays are those of the official clients: `min`, doubling up to `max`, each moved at random
/// by up to half of itself, so that the clients of a restarted server do not come back together.
/// The count starts again with every accepted connection.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Reconnect {
    /// The first delay.
    pub min: Duration,
    /// The longest delay. A server's `Retry-After` may be longer, and then counts.
    pub max: Duration,
    /// After so many failed attempts in a row the client gives up; `None`: never.
    pub max_attempts: Option<u32>,
}

impl Default for Reconnect {
    /// 1 s, doubling up to 5 s, without end.
    fn default() -> Self {
        Self {
            min: Duration::from_secs(1),
            max: Duration::from_secs(5),
            max_attempts: None,
        }
    }
}

impl Reconnect {
    /// Whether attempt number `attempt` (from 1) may still be made.
    pub(crate) fn allows(&self, attempt: u32) -> bool {
        self.max_attempts.is_none_or(|max| attempt <= max)
    }

    /// The delay before attempt number `attempt` (from 1). `chance` is uniform in `0..1`.
    ///
    /// Where the server said when to come back, it is not asked sooner, and the jitter comes on
    /// top.
    pub(crate) fn delay(&self, attempt: u32, asked: Option<Duration>, chance: f64) -> Duration {
        let chance = chance.clamp(0.0, 1.0);
        match asked {
            Some(asked) => asked.saturating_add(self.min.mul_f64(chance)),
            None => self
                .exponential(attempt)
                .mul_f64(0.5 + chance)
                .min(self.max),
        }
    }

    fn exponential(&self, attempt: u32) -> Duration {
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
    fn a_server_is_not_asked_sooner_than_it_said() {
        let asked = Some(30 * SECOND);
        assert_eq!(Reconnect::default().delay(1, asked, 0.0), 30 * SECOND);
        assert_eq!(Reconnect::default().delay(1, asked, 1.0), 31 * SECOND);
    }

    #[test]
    fn attempts_end_where_they_are_limited() {
        let reconnect = Reconnect {
            max_attempts: Some(2),
            ..Reconnect::default()
        };
        assert_eq!([1, 2, 3].map(|n| reconnect.allows(n)), [true, true, false]);
        assert!(Reconnect::default().allows(u32::MAX));
    }

    proptest! {
        #[test]
        fn no_delay_is_beyond_its_limit(attempt: u32, chance in 0.0..1.0f64, min in 0u64..1 << 40, max in 0u64..1 << 40) {
            let reconnect = Reconnect { min: Duration::from_millis(min), max: Duration::from_millis(max), max_attempts: None };
            prop_assert!(reconnect.delay(attempt, None, chance) <= reconnect.max);
        }

        #[test]
        fn any_wish_of_a_server_is_kept(seconds: u64, chance in 0.0..1.0f64) {
            let asked = Duration::from_secs(seconds);
            prop_assert!(Reconnect::default().delay(1, Some(asked), chance) >= asked);
        }
    }
}

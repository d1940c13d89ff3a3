//! Rates: a number of tokens at once, and then a number per second. They follow tokio's clock,
//! which tests can pause.

use std::{
    hash::Hash,
    time::{Duration, Instant},
};

use governor::{
    Quota, RateLimiter,
    clock::Clock,
    middleware::NoOpMiddleware,
    state::{InMemoryState, NotKeyed, keyed::DashMapStateStore},
};

use crate::values::at_least_one;

/// The clock of the rates.
#[derive(Debug, Clone, Copy)]
struct TokioClock;

impl Clock for TokioClock {
    type Instant = Instant;

    fn now(&self) -> Instant {
        tokio::time::Instant::now().into_std()
    }
}

type Limiter<K, S> = RateLimiter<K, S, TokioClock, NoOpMiddleware<Instant>>;

/// A rate of one thing.
#[derive(Debug)]
pub(crate) struct Rate(Limiter<NotKeyed, InMemoryState>);

impl Rate {
    /// Creates a rate of `burst` at once, and then of `per_s` per second.
    pub(crate) fn new(burst: u32, per_s: u32) -> Self {
        Self(RateLimiter::direct_with_clock(
            quota(burst, per_s),
            TokioClock,
        ))
    }

    /// Takes one token. Returns `false` if there is none.
    pub(crate) fn take(&self) -> bool {
        self.0.check().is_ok()
    }
}

/// A rate of its own for each key. Keys that have all their tokens are kept until
/// [`forget_idle`](Self::forget_idle).
pub(crate) struct KeyedRate<K: Hash + Eq + Clone>(Limiter<K, DashMapStateStore<K>>);

impl<K: Hash + Eq + Clone> KeyedRate<K> {
    /// Creates rates of `burst` at once, and then of `per_s` per second.
    pub(crate) fn new(burst: u32, per_s: u32) -> Self {
        let quota = quota(burst, per_s);
        Self(RateLimiter::dashmap_with_clock(quota, TokioClock))
    }

    /// Takes one token of the key.
    ///
    /// # Errors
    /// Returns the time until there is a token, if there is none.
    pub(crate) fn take(&self, key: &K) -> Result<(), Duration> {
        self.0
            .check_key(key)
            .map_err(|not_until| not_until.wait_time_from(TokioClock.now()))
    }

    /// Forgets the keys that have all their tokens again.
    pub(crate) fn forget_idle(&self) {
        self.0.retain_recent();
        self.0.shrink_to_fit();
    }

    /// Returns how many keys are remembered.
    #[cfg(test)]
    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }
}

fn quota(burst: u32, per_s: u32) -> Quota {
    Quota::per_second(at_least_one(per_s)).allow_burst(at_least_one(burst))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_rate_is_a_burst_and_then_a_number_per_second() {
        let rate = Rate::new(3, 2);
        assert_eq!((0..10).filter(|_| rate.take()).count(), 3);
        tokio::time::advance(Duration::from_secs(1)).await;
        assert_eq!((0..10).filter(|_| rate.take()).count(), 2);
    }

    #[tokio::test(start_paused = true)]
    async fn each_key_has_its_rate_and_is_forgotten_when_it_has_all_its_tokens() {
        let rate = KeyedRate::new(2, 1);
        assert!(rate.take(&"a").is_ok() && rate.take(&"a").is_ok());
        let wait = rate.take(&"a").unwrap_err();
        assert!(wait <= Duration::from_secs(1), "{wait:?}");
        assert!(rate.take(&"b").is_ok(), "another key");
        tokio::time::advance(Duration::from_secs(10)).await;
        assert!(rate.take(&"a").is_ok());
        rate.forget_idle();
        assert_eq!(rate.len(), 1, "b is forgotten");
    }
}

//! The times of a key set: when it is loaded again, who may ask for that, and how long keys are in
//! use. No I/O.

use std::time::Duration;

use tokio::time::Instant;

/// The wait after the first failure of a source that never had keys. It doubles with each one.
const FIRST_RETRY: Duration = Duration::from_secs(1);

/// The times that a user of a key set chooses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct RefreshTimes {
    /// The time between two loads.
    pub(super) refresh: Duration,
    /// The least time between two loads that tokens or the host ask for.
    pub(super) ask: Duration,
    /// The time for which keys stay in use while they cannot be loaded again.
    pub(super) keep: Duration,
}

impl RefreshTimes {
    pub(super) const DEFAULT: Self = Self {
        refresh: Duration::from_secs(5 * 60),
        ask: Duration::from_secs(30),
        keep: Duration::from_secs(24 * 60 * 60),
    };
}

/// The state of a key set in time.
#[derive(Debug)]
pub(super) struct Freshness {
    times: RefreshTimes,
    attempt: LoadAttempt,
    /// True if the last attempt that has ended loaded the keys.
    has_worked: bool,
    opened: Instant,
    began: Instant,
    /// The time when a token last had an attempt begin.
    asked: Option<Instant>,
    /// The time of the last load, if there was one.
    loaded: Option<Instant>,
    /// The number of failures since the last load.
    failures: u32,
    /// The time for which the host says that its answer is good.
    max_age: Option<Duration>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum LoadAttempt {
    /// It is time for one: none has begun yet, or a token asked for it.
    Due,
    Running,
    /// The last one has ended, and it is not time for another one yet.
    Ended,
}

/// The answer to a token whose key is not known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum LoadRequest {
    /// An attempt begins now.
    Begins,
    /// One began before, and is running.
    Runs,
    /// A token had one begin a short time ago, and it has ended.
    TooSoon,
}

impl Freshness {
    /// Returns the state before the first attempt, which is due.
    pub(super) const fn new(times: RefreshTimes, now: Instant) -> Self {
        Self {
            times,
            attempt: LoadAttempt::Due,
            has_worked: false,
            opened: now,
            began: now,
            asked: None,
            loaded: None,
            failures: 0,
            max_age: None,
        }
    }

    pub(super) const fn begin(&mut self, now: Instant) {
        self.attempt = LoadAttempt::Running;
        self.began = now;
    }

    pub(super) const fn worked(&mut self, now: Instant, max_age: Option<Duration>) {
        self.attempt = LoadAttempt::Ended;
        self.has_worked = true;
        self.loaded = Some(now);
        self.failures = 0;
        self.max_age = max_age;
    }

    pub(super) const fn failed(&mut self) {
        self.attempt = LoadAttempt::Ended;
        self.has_worked = false;
        self.failures = self.failures.saturating_add(1);
    }

    /// Returns whether the keys may still be used.
    pub(super) fn is_usable(&self, now: Instant) -> bool {
        let age = self
            .loaded
            .map(|loaded| now.saturating_duration_since(loaded));
        age.is_some_and(|age| age <= self.times.keep)
    }

    /// Returns whether a key that is not known is none of the source, as of the last attempt.
    pub(super) const fn is_certain(&self) -> bool {
        self.has_worked
    }

    /// Decides whether a token whose key is not known waits for an attempt, and has one begin if
    /// none is running. Many tokens begin one together.
    pub(super) fn ask(&mut self, now: Instant) -> LoadRequest {
        match self.attempt {
            LoadAttempt::Running => LoadRequest::Runs,
            LoadAttempt::Ended if now < self.may_ask_at(now) => LoadRequest::TooSoon,
            LoadAttempt::Due | LoadAttempt::Ended => {
                self.attempt = LoadAttempt::Due;
                self.asked = Some(now);
                LoadRequest::Begins
            }
        }
    }

    /// Returns the time from which on a token may have the keys loaded. Only attempts that tokens
    /// asked for count: otherwise those of a short refresh interval would leave no time for one.
    fn may_ask_at(&self, now: Instant) -> Instant {
        self.asked.map_or(now, |asked| asked + self.times.ask)
    }

    /// Returns the time after which a token may have the keys loaded, or they are loaded anyway.
    pub(super) fn until_news(&self, now: Instant) -> Duration {
        let may_ask = match self.attempt {
            LoadAttempt::Due | LoadAttempt::Running => now,
            LoadAttempt::Ended => self.may_ask_at(now),
        };
        may_ask.min(self.next()).saturating_duration_since(now)
    }

    /// Returns the time since the last load, or since the beginning if there was none.
    pub(super) fn age(&self, now: Instant) -> Duration {
        now.saturating_duration_since(self.loaded.unwrap_or(self.opened))
    }

    /// Returns the time of the next attempt.
    pub(super) fn next(&self) -> Instant {
        let wait = match self.attempt {
            LoadAttempt::Due | LoadAttempt::Running => Duration::ZERO,
            LoadAttempt::Ended if self.has_worked => self.until_refresh(),
            LoadAttempt::Ended if self.loaded.is_some() => self.times.ask,
            LoadAttempt::Ended => self.until_retry(),
        };
        self.began + wait
    }

    /// The host may shorten the time, within bounds. It must not lengthen it: a key that is removed
    /// would be accepted for longer than the operator expects.
    fn until_refresh(&self) -> Duration {
        let RefreshTimes { refresh, ask, .. } = self.times;
        match self.max_age {
            Some(max_age) => max_age.max(ask).min(refresh),
            None => refresh,
        }
    }

    fn until_retry(&self) -> Duration {
        let doubled = 1_u32.checked_shl(self.failures.saturating_sub(1));
        let wait = doubled.and_then(|factor| FIRST_RETRY.checked_mul(factor));
        wait.map_or(self.times.ask, |wait| wait.min(self.times.ask))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TIMES: RefreshTimes = RefreshTimes::DEFAULT;

    const fn s(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    /// Returns a set that was loaded at `now`.
    fn loaded(now: Instant, max_age: Option<Duration>) -> Freshness {
        let mut fresh = Freshness::new(TIMES, now);
        fresh.begin(now);
        fresh.worked(now, max_age);
        fresh
    }

    #[test]
    fn the_first_attempt_is_due_at_once() {
        let now = Instant::now();
        let mut fresh = Freshness::new(TIMES, now);
        assert_eq!(fresh.next(), now);
        assert_eq!(fresh.ask(now), LoadRequest::Begins);
        assert!(!fresh.is_usable(now) && !fresh.is_certain());
    }

    #[test]
    fn a_token_has_keys_loaded_at_most_once_per_interval() {
        let now = Instant::now();
        let mut fresh = loaded(now, None);
        assert_eq!(fresh.ask(now + s(1)), LoadRequest::Begins);
        assert_eq!(fresh.ask(now + s(1)), LoadRequest::Begins);
        fresh.begin(now + s(1));
        assert_eq!(fresh.ask(now + s(4)), LoadRequest::Runs);
        fresh.failed();
        assert_eq!(fresh.ask(now + s(30)), LoadRequest::TooSoon);
        assert_eq!(fresh.ask(now + s(31)), LoadRequest::Begins);
    }

    #[test]
    fn a_short_refresh_interval_leaves_time_for_tokens() {
        let now = Instant::now();
        let mut fresh = loaded(now, Some(s(0)));
        for round in 1..10 {
            let at = fresh.next();
            fresh.begin(at);
            fresh.worked(at, Some(s(0)));
            assert_eq!(fresh.ask(at + s(1)), LoadRequest::Begins, "{round}");
            fresh.begin(at + s(1));
            fresh.worked(at + s(1), Some(s(0)));
            assert_eq!(fresh.ask(at + s(2)), LoadRequest::TooSoon, "{round}");
        }
    }

    #[test]
    fn there_is_news_after_the_rest_of_the_interval() {
        let now = Instant::now();
        let mut fresh = Freshness::new(TIMES, now);
        assert_eq!(fresh.ask(now), LoadRequest::Begins);
        assert_eq!(fresh.until_news(now), Duration::ZERO);
        fresh.begin(now);
        assert_eq!(fresh.until_news(now + s(2)), Duration::ZERO);
        // A source that never worked is tried again sooner.
        fresh.failed();
        assert_eq!(fresh.until_news(now), s(1));
        fresh.begin(now);
        fresh.worked(now, None);
        assert_eq!(fresh.until_news(now + s(2)), s(28));
        assert_eq!(fresh.until_news(now + s(31)), Duration::ZERO);
    }

    #[test]
    fn the_age_is_that_of_the_last_load() {
        let now = Instant::now();
        let mut fresh = Freshness::new(TIMES, now);
        fresh.begin(now + s(1));
        fresh.failed();
        assert_eq!(fresh.age(now + s(5)), s(5));
        fresh.begin(now + s(6));
        fresh.worked(now + s(7), None);
        fresh.begin(now + s(8));
        fresh.failed();
        assert_eq!(fresh.age(now + s(9)), s(2));
    }

    #[test]
    fn a_host_may_be_asked_sooner_and_not_later() {
        let now = Instant::now();
        for (max_age, expected) in [
            (None, 300),
            (Some(0), 30),
            (Some(60), 60),
            (Some(9_999), 300),
        ] {
            let fresh = loaded(now, max_age.map(s));
            assert_eq!(fresh.next() - now, s(expected), "{max_age:?}");
        }
    }

    #[test]
    fn a_source_that_never_worked_is_tried_after_longer_and_longer_times() {
        let now = Instant::now();
        let mut fresh = Freshness::new(TIMES, now);
        let mut waits = Vec::new();
        for _ in 0..40 {
            fresh.begin(now);
            fresh.failed();
            waits.push((fresh.next() - now).as_secs());
        }
        assert_eq!(waits[..7], [1, 2, 4, 8, 16, 30, 30]);
        assert!(waits[7..].iter().all(|wait| *wait == 30));
    }

    #[test]
    fn keys_stay_in_use_for_a_bounded_time() {
        let now = Instant::now();
        let mut fresh = loaded(now, None);
        fresh.begin(now + s(300));
        fresh.failed();
        assert_eq!(fresh.next() - now, s(330));
        assert!(fresh.is_usable(now + TIMES.keep) && !fresh.is_certain());
        assert!(!fresh.is_usable(now + TIMES.keep + s(1)));
    }
}

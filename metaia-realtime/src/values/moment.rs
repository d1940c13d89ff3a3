//! Moments on the monotonic clock of this process, in one word: they fit into atomics.

use std::{
    num::NonZeroU64,
    sync::{
        LazyLock,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::Instant,
};

/// The first moment of the process that was asked for.
static FIRST: LazyLock<Instant> = LazyLock::new(Instant::now);

/// The time before [`FIRST`] for which there are moments, in ns: a day.
const BEFORE_FIRST: u64 = 24 * 60 * 60 * 1_000_000_000;

/// A moment, in ns since the earliest one, which is a day before the process first asked for one.
/// Moments of different processes mean nothing to each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Moment(NonZeroU64);

impl Moment {
    pub(crate) fn now() -> Self {
        let ns = u64::try_from(FIRST.elapsed().as_nanos()).unwrap_or(u64::MAX);
        Self::from_ns(ns.saturating_add(BEFORE_FIRST))
    }

    fn from_ns(ns: u64) -> Self {
        Self(NonZeroU64::MIN.saturating_add(ns))
    }

    /// Returns the microseconds since `earlier`, rounded up; 0 if that is later.
    pub(crate) const fn micros_since(self, earlier: Self) -> u64 {
        let ns = self.0.get().saturating_sub(earlier.0.get());
        ns.div_ceil(1_000)
    }

    /// Returns the moment `micros` before this one, or the earliest one.
    pub(crate) fn micros_before(self, micros: u64) -> Self {
        let ns = micros.saturating_mul(1_000);
        Self::from_ns((self.0.get() - 1).saturating_sub(ns))
    }
}

/// A moment that threads share, or none yet.
#[derive(Debug, Default)]
pub(crate) struct SharedMoment(AtomicU64);

impl SharedMoment {
    pub(crate) const fn none() -> Self {
        Self(AtomicU64::new(0))
    }

    pub(crate) fn get(&self) -> Option<Moment> {
        NonZeroU64::new(self.0.load(Relaxed)).map(Moment)
    }

    pub(crate) fn set(&self, moment: Option<Moment>) {
        self.0.store(as_number(moment), Relaxed);
    }

    /// Sets the moment, unless there is one.
    pub(crate) fn set_first(&self, moment: Moment) {
        self.0
            .compare_exchange(0, moment.0.get(), Relaxed, Relaxed)
            .ok();
    }

    /// Removes the moment, and returns it.
    pub(crate) fn take(&self) -> Option<Moment> {
        NonZeroU64::new(self.0.swap(0, Relaxed)).map(Moment)
    }
}

const fn as_number(moment: Option<Moment>) -> u64 {
    match moment {
        Some(moment) => moment.0.get(),
        None => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_time_between_moments_is_rounded_up_and_never_negative() {
        let first = Moment::from_ns(5_000);
        for (ns, micros) in [
            (0, 0),
            (4_999, 0),
            (5_000, 0),
            (5_001, 1),
            (6_000, 1),
            (6_001, 2),
        ] {
            assert_eq!(Moment::from_ns(ns).micros_since(first), micros, "{ns}");
        }
        assert!(Moment::now() <= Moment::now());
    }

    #[test]
    fn no_moment_is_before_the_earliest_one() {
        let moment = Moment::from_ns(7_000);
        assert_eq!(moment.micros_before(2), Moment::from_ns(5_000));
        for micros in [7, 8, u64::MAX] {
            assert_eq!(moment.micros_before(micros), Moment::from_ns(0), "{micros}");
        }
    }

    #[test]
    fn a_shared_moment_keeps_the_first_until_it_is_taken() {
        let shared = SharedMoment::none();
        assert_eq!(shared.get(), None);
        let moment = Moment::from_ns(3);
        shared.set_first(moment);
        shared.set_first(Moment::from_ns(4));
        assert_eq!(
            (shared.get(), shared.take(), shared.take()),
            (Some(moment), Some(moment), None)
        );
        shared.set(Some(moment));
        shared.set(None);
        assert_eq!(shared.get(), None);
    }
}

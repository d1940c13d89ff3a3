//! Counters: a single one, and one for each of several codes.
//!
//! Counters are relaxed atomics. Batches are added as one number.

use std::{
    collections::BTreeMap,
    sync::atomic::{AtomicU64, Ordering::Relaxed},
};

use crate::values::Code;

/// Counts by their stable codes.
pub(super) type Codes = BTreeMap<&'static str, u64>;

/// The label of everything that has no code of its own.
const OTHER: &str = "other";

/// A number that only grows.
#[derive(Debug, Default)]
pub(crate) struct Counter(AtomicU64);

impl Counter {
    pub(crate) fn add(&self, count: usize) {
        if count > 0 {
            self.0.fetch_add(count as u64, Relaxed);
        }
    }

    pub(crate) fn read(&self) -> u64 {
        self.0.load(Relaxed)
    }
}

/// A counter for each value of an enum.
#[derive(Debug)]
pub(crate) struct ByCode<E>(Box<[(E, Counter)]>);

impl<E: Code> Default for ByCode<E> {
    fn default() -> Self {
        let counters = E::ALL.iter().map(|value| (*value, Counter::default()));
        Self(counters.collect())
    }
}

impl<E: Code> ByCode<E> {
    /// Adds one to the counter of `value`.
    pub(crate) fn add(&self, value: E) {
        if let Some((_, counter)) = self.0.iter().find(|(known, _)| *known == value) {
            counter.add(1);
        }
    }

    pub(super) fn read(&self) -> Codes {
        let counts = self.0.iter();
        counts
            .map(|(value, counter)| (value.code(), counter.read()))
            .collect()
    }
}

/// A counter for each value of an enum, and one for all other codes: an embedder's handlers choose
/// theirs.
#[derive(Debug)]
pub(crate) struct ByCodeOrOther<E> {
    known: ByCode<E>,
    other: Counter,
}

impl<E: Code> Default for ByCodeOrOther<E> {
    fn default() -> Self {
        Self {
            known: ByCode::default(),
            other: Counter::default(),
        }
    }
}

impl<E: Code> ByCodeOrOther<E> {
    /// Adds one to the counter of `code`.
    pub(crate) fn add(&self, code: &str) {
        match E::ALL.iter().find(|value| value.code() == code) {
            Some(value) => self.known.add(*value),
            None => self.other.add(1),
        }
    }

    pub(super) fn read(&self) -> Codes {
        let mut counts = self.known.read();
        counts.insert(OTHER, self.other.read());
        counts
    }
}

/// Adds series that stay at zero.
pub(super) fn with_unused(mut counts: Codes, unused: &[&'static str]) -> Codes {
    for code in unused {
        counts.entry(code).or_insert(0);
    }
    counts
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        Role,
        auth::AuthError,
        log::ResetReason,
        node::HandshakeRefusal,
        session::{EndReason, EventRefusal},
    };

    /// Counts each value once more than the one before.
    fn check<E: Code>() {
        let counters = ByCode::<E>::default();
        let mut expected = Codes::new();
        for (i, value) in E::ALL.iter().enumerate() {
            for _ in 0..i {
                counters.add(*value);
            }
            expected.insert(value.code(), i as u64);
        }
        assert_eq!(counters.read(), expected);
        assert_eq!(expected.len(), E::ALL.len(), "two values with one code");
    }

    #[test]
    fn every_value_has_a_counter_of_its_own() {
        check::<Role>();
        check::<AuthError>();
        check::<HandshakeRefusal>();
        check::<EndReason>();
        check::<EventRefusal>();
        check::<ResetReason>();
    }

    #[test]
    fn codes_of_handlers_count_as_other_unless_they_are_known() {
        let counters = ByCodeOrOther::<EventRefusal>::default();
        for code in ["out_of_stock", "forbidden", "", "forbidden", "other"] {
            counters.add(code);
        }
        let counts = counters.read();
        assert_eq!((counts["forbidden"], counts["other"]), (2, 3));
        assert_eq!(counts.len(), EventRefusal::ALL.len() + 1);
    }

    #[test]
    fn unused_series_are_zero_and_replace_no_other() {
        let counts = with_unused(Codes::from([("used", 3)]), &["unused", "used"]);
        assert_eq!(counts, Codes::from([("unused", 0), ("used", 3)]));
    }
}

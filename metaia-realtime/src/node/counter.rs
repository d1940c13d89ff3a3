//! Counters: a single one, and one for each of several codes.

use std::{
    collections::BTreeMap,
    sync::atomic::{AtomicU64, Ordering::Relaxed},
};

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

/// A counter for each of `N` codes. The last code takes every code that is not among them.
#[derive(Debug)]
pub(crate) struct ByCode<const N: usize>([(&'static str, Counter); N]);

impl<const N: usize> ByCode<N> {
    pub(crate) fn new(codes: [&'static str; N]) -> Self {
        Self(codes.map(|code| (code, Counter::default())))
    }

    /// Adds one to the counter of `code`.
    pub(crate) fn add(&self, code: &str) {
        let named = self.0.iter().find(|(known, _)| *known == code);
        if let Some((_, counter)) = named.or(self.0.last()) {
            counter.add(1);
        }
    }

    pub(crate) fn read(&self) -> BTreeMap<&'static str, u64> {
        self.0
            .iter()
            .map(|(code, counter)| (*code, counter.read()))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_code_counts_as_the_last_one() {
        let counts = ByCode::new(["a", "b", "other"]);
        for code in ["b", "unknown", "b", ""] {
            counts.add(code);
        }
        assert_eq!(
            counts.read(),
            BTreeMap::from([("a", 0), ("b", 2), ("other", 2)])
        );
    }
}

//! The credit window of a session: what was handed over and is not yet written. A pure kernel.

use std::collections::VecDeque;

/// Entries and bytes in flight, against their limits.
#[derive(Debug)]
pub(crate) struct Credit {
    max_entries: usize,
    max_bytes: usize,
    /// Sizes of what is in flight, oldest first.
    flight: VecDeque<u32>,
    bytes: usize,
    written: u64,
}

impl Credit {
    pub(crate) fn new(max_entries: usize, max_bytes: usize) -> Self {
        Self { max_entries, max_bytes, flight: VecDeque::new(), bytes: 0, written: 0 }
    }

    /// Whether something of `size` bytes fits. An empty window always takes one.
    pub(crate) fn fits(&self, size: usize) -> bool {
        self.flight.is_empty()
            || (self.flight.len() < self.max_entries && self.bytes.saturating_add(size) <= self.max_bytes)
    }

    /// Whether at least half of the window is free.
    pub(crate) fn is_half_free(&self) -> bool {
        self.flight.len() <= self.max_entries / 2
            && (self.bytes <= self.max_bytes / 2 || self.flight.is_empty())
    }

    /// How many are in flight.
    pub(crate) fn in_flight(&self) -> usize {
        self.flight.len()
    }

    /// Something of `size` bytes was handed over.
    pub(crate) fn hand_over(&mut self, size: usize) {
        let size = u32::try_from(size).unwrap_or(u32::MAX);
        self.flight.push_back(size);
        self.bytes += size as usize;
    }

    /// All but the newest `left` have been written.
    pub(crate) fn settle_to(&mut self, left: usize) {
        let gone = self.flight.len().saturating_sub(left);
        self.settle(self.written + gone as u64);
    }

    /// So many have been written in all.
    pub(crate) fn settle(&mut self, written: u64) {
        while self.written < written {
            self.written += 1;
            match self.flight.pop_front() {
                Some(size) => self.bytes -= size as usize,
                None => self.written = written,
            }
        }
        if self.flight.is_empty() {
            self.flight = VecDeque::new();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn what_is_in_flight_stays_within_the_window(steps in proptest::collection::vec((1usize..400, 0u64..4), 0..200)) {
            let mut credit = Credit::new(8, 1_000);
            let (mut handed, mut written) = (Vec::new(), 0u64);
            for (size, wrote) in steps {
                if credit.fits(size) { credit.hand_over(size); handed.push(size); }
                written = (written + wrote).min(handed.len() as u64);
                credit.settle(written);
                let flight = &handed[written as usize..];
                prop_assert_eq!(credit.in_flight(), flight.len());
                prop_assert_eq!(credit.bytes, flight.iter().sum::<usize>());
                prop_assert!(flight.len() <= 8 && (flight.iter().sum::<usize>() <= 1_000 || flight.len() == 1));
            }
        }
    }

    #[test]
    fn one_entry_of_any_size_fits_an_empty_window() {
        let mut credit = Credit::new(1, 10);
        assert!(credit.fits(64 * 1024));
        credit.hand_over(64 * 1024);
        assert!(!credit.fits(1));
        credit.settle(1);
        assert!(credit.fits(64 * 1024));
    }
}

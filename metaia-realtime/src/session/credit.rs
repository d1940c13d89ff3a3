//! The credit window of a session: what was handed over and is not yet written. A pure kernel.

use std::collections::VecDeque;

use super::{confirmed::Confirmed, port::Progress};
use crate::Position;

/// Entries and bytes in flight, against their limits.
#[derive(Debug)]
pub(crate) struct Credit {
    max_entries: usize,
    max_bytes: usize,
    /// What is in flight, oldest first.
    flight: VecDeque<InFlight>,
    bytes: usize,
    written: u64,
    confirmed: Confirmed,
}

#[derive(Debug)]
struct InFlight {
    size: u32,
    /// Where the client stands when it has got this.
    at: Option<Position>,
}

impl Credit {
    pub(crate) fn new(max_entries: usize, max_bytes: usize) -> Self {
        let (flight, confirmed) = (VecDeque::new(), Confirmed::default());
        Self {
            max_entries,
            max_bytes,
            flight,
            bytes: 0,
            written: 0,
            confirmed,
        }
    }

    pub(crate) fn confirmed(&self) -> &Confirmed {
        &self.confirmed
    }

    /// The client was at `at` when it came.
    pub(crate) fn begin(&mut self, at: Position) {
        self.confirmed.begin(at);
    }

    /// Whether something of `size` bytes fits. An empty window always takes one.
    pub(crate) fn fits(&self, size: usize) -> bool {
        self.flight.is_empty()
            || (self.flight.len() < self.max_entries
                && self.bytes.saturating_add(size) <= self.max_bytes)
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

    /// Something of `size` bytes was handed over, with which the client stands at `at`.
    pub(crate) fn hand_over(&mut self, size: usize, at: Option<Position>) {
        let size = u32::try_from(size).unwrap_or(u32::MAX);
        self.flight.push_back(InFlight { size, at });
        self.bytes += size as usize;
    }

    /// All but the newest `left` have been written, as far as can be seen.
    pub(crate) fn settle_to(&mut self, left: usize) {
        let gone = self.flight.len().saturating_sub(left);
        self.settle(Progress {
            written: self.written + gone as u64,
            ..Progress::default()
        });
    }

    /// The connection has got so far.
    pub(crate) fn settle(&mut self, progress: Progress) {
        // The ping that was known may have been answered before the next one was sent.
        self.confirmed.answer(progress.answered);
        while self.written < progress.written {
            self.note_ping(progress);
            self.written += 1;
            match self.flight.pop_front() {
                Some(gone) => {
                    self.bytes -= gone.size as usize;
                    gone.at.into_iter().for_each(|at| self.confirmed.write(at));
                }
                None => self.written = progress.written,
            }
        }
        self.note_ping(progress);
        self.confirmed.answer(progress.answered);
        if self.flight.is_empty() {
            self.flight = VecDeque::new();
        }
    }

    fn note_ping(&mut self, progress: Progress) {
        if self.written == progress.pinged {
            self.confirmed.ping(self.written);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::values::Epoch;
    use proptest::prelude::*;

    fn at(n: u64) -> Position {
        Position {
            epoch: Epoch::from_bits(1),
            check: 0,
            n,
        }
    }

    fn wrote(written: u64) -> Progress {
        Progress {
            written,
            ..Progress::default()
        }
    }

    proptest! {
        #[test]
        fn what_is_in_flight_stays_within_the_window(steps in proptest::collection::vec((1usize..400, 0u64..4), 0..200)) {
            let mut credit = Credit::new(8, 1_000);
            let (mut handed, mut written) = (Vec::new(), 0u64);
            for (size, wrote_now) in steps {
                if credit.fits(size) { credit.hand_over(size, None); handed.push(size); }
                written = (written + wrote_now).min(handed.len() as u64);
                credit.settle(wrote(written));
                let flight = &handed[written as usize..];
                prop_assert_eq!(credit.in_flight(), flight.len());
                prop_assert_eq!(credit.bytes, flight.iter().sum::<usize>());
                prop_assert!(flight.len() <= 8 && (flight.iter().sum::<usize>() <= 1_000 || flight.len() == 1));
            }
        }

        /// Packets and pings are written and answered in order; the session looks now and then.
        /// What it takes for confirmed the client has, and when all was answered and looked at,
        /// nothing is missing.
        #[test]
        fn confirmed_is_what_preceded_an_answered_ping(steps in proptest::collection::vec(0u8..6, 0..200)) {
            let mut credit = Credit::new(1_000, usize::MAX);
            credit.begin(at(0));
            let (mut progress, mut handed, mut received) = (Progress::default(), 0u64, 0u64);
            for step in steps {
                match step {
                    0 | 1 => {
                        handed += 1;
                        credit.hand_over(1, Some(at(handed)));
                    }
                    2 if progress.written < handed => progress.written += 1,
                    3 => progress.pinged = progress.written,
                    4 => {
                        received = progress.pinged;
                        progress.answered = progress.pinged;
                    }
                    _ => credit.settle(progress),
                }
                prop_assert!(credit.confirmed().at().is_some_and(|at| at.n() <= received));
            }
            credit.settle(progress);
            (progress.pinged, progress.answered) = (progress.written, progress.written);
            credit.settle(progress);
            prop_assert_eq!(credit.confirmed().at(), Some(at(progress.written)));
        }
    }

    #[test]
    fn one_entry_of_any_size_fits_an_empty_window() {
        let mut credit = Credit::new(1, 10);
        assert!(credit.fits(64 * 1024));
        credit.hand_over(64 * 1024, None);
        assert!(!credit.fits(1));
        credit.settle(wrote(1));
        assert!(credit.fits(64 * 1024));
    }
}

//! The credit window of a session: it bounds the packets that were handed over and are not yet
//! written. A pure kernel. [`credit_wait`](super::credit_wait) waits for credit.
//!
//! Volatile events do not count against the window, so that a flood of them cannot stop the entries
//! of the log. They have a bound of their own: a quarter of the window's bytes, or one event.

use std::collections::VecDeque;

use super::{confirmed::Confirmed, port::Progress};
use crate::Position;

/// Packets and bytes in flight, against their limits.
#[derive(Debug)]
pub(crate) struct Credit {
    max_entries: usize,
    max_bytes: usize,
    /// In the order in which they are written.
    in_flight: VecDeque<InFlight>,
    /// Those of them that count against the window.
    window: Total,
    /// The volatile events among them.
    volatile: Total,
    /// Packets written since the session began.
    written: u64,
    confirmed: Confirmed,
}

/// A packet that was handed over and is not yet written.
#[derive(Debug)]
struct InFlight {
    /// In bytes.
    size: u32,
    /// The client's position after it has received this packet.
    position: Option<Position>,
    is_volatile: bool,
}

/// The number of packets, and their bytes.
#[derive(Debug, Default)]
struct Total {
    packets: usize,
    bytes: usize,
}

impl Total {
    fn add(&mut self, packet: &InFlight) {
        self.packets += 1;
        self.bytes += packet.size as usize;
    }

    fn remove(&mut self, packet: &InFlight) {
        self.packets -= 1;
        self.bytes -= packet.size as usize;
    }
}

impl InFlight {
    fn new(size: usize, position: Option<Position>, is_volatile: bool) -> Self {
        Self {
            size: u32::try_from(size).unwrap_or(u32::MAX),
            position,
            is_volatile,
        }
    }
}

impl Credit {
    pub(super) fn new(max_entries: usize, max_bytes: usize) -> Self {
        Self {
            max_entries,
            max_bytes,
            in_flight: VecDeque::new(),
            window: Total::default(),
            volatile: Total::default(),
            written: 0,
            confirmed: Confirmed::default(),
        }
    }

    pub(super) fn confirmed(&self) -> &Confirmed {
        &self.confirmed
    }

    /// Records the position that the client had when it connected.
    pub(super) fn start_at(&mut self, position: Position) {
        self.confirmed.start_at(position);
    }

    /// Frees the memory of the packets in flight, if there are none.
    pub(super) fn free_memory(&mut self) {
        if self.in_flight.is_empty() {
            self.in_flight = VecDeque::new();
        }
    }

    /// Returns whether a packet of `size` bytes fits. An empty window always takes one.
    pub(super) fn fits(&self, size: usize) -> bool {
        self.window.packets == 0
            || (self.window.packets < self.max_entries
                && self.window.bytes.saturating_add(size) <= self.max_bytes)
    }

    /// Returns whether a volatile event of `size` bytes fits. One always does.
    pub(super) fn fits_volatile(&self, size: usize) -> bool {
        self.volatile.packets == 0 || self.volatile.bytes.saturating_add(size) <= self.max_bytes / 4
    }

    /// Returns whether at least half of the window is free.
    pub(super) fn is_half_free(&self) -> bool {
        // One packet may be larger than the window: if none is in flight, the window is free.
        self.window.packets == 0
            || (self.window.packets <= self.max_entries / 2
                && self.window.bytes <= self.max_bytes / 2)
    }

    /// Returns how many packets are in flight.
    pub(super) fn in_flight(&self) -> usize {
        self.in_flight.len()
    }

    /// Returns how many packets are in flight that count against the window.
    pub(super) fn in_window(&self) -> usize {
        self.window.packets
    }

    /// Records that a packet of `size` bytes was handed over, which brings the client to
    /// `position`.
    pub(super) fn hand_over(&mut self, size: usize, position: Option<Position>) {
        let packet = InFlight::new(size, position, false);
        self.window.add(&packet);
        self.in_flight.push_back(packet);
    }

    /// Records that a volatile event of `size` bytes was handed over, which is written before the
    /// newest `overtaken` packets.
    pub(super) fn hand_over_volatile(&mut self, size: usize, overtaken: usize) {
        let packet = InFlight::new(size, None, true);
        self.volatile.add(&packet);
        let place = self.in_flight.len().saturating_sub(overtaken);
        self.in_flight.insert(place, packet);
    }

    /// Counts all but the newest `left` packets as written.
    pub(super) fn assume_written_but(&mut self, left: usize) {
        let written_now = self.in_flight.len().saturating_sub(left);
        self.apply_progress(Progress {
            written: self.written + written_now as u64,
            ..Progress::default()
        });
    }

    /// Gives credit back for the packets that the connection has written, and confirms those that
    /// the client has answered a ping for.
    pub(super) fn apply_progress(&mut self, progress: Progress) {
        // The client may have answered the known ping before the next one was sent.
        self.confirmed.record_pong(progress.answered);
        while self.written < progress.written {
            self.note_ping(progress);
            self.written += 1;
            let Some(packet) = self.in_flight.pop_front() else {
                self.written = progress.written;
                continue;
            };
            if packet.is_volatile {
                self.volatile.remove(&packet);
            } else {
                self.window.remove(&packet);
            }
            if let Some(position) = packet.position {
                self.confirmed.record_write(position);
            }
        }
        self.note_ping(progress);
        self.confirmed.record_pong(progress.answered);
        if self.in_flight.is_empty() {
            // Frees the memory: most sessions are idle most of the time.
            self.in_flight = VecDeque::new();
        }
    }

    fn note_ping(&mut self, progress: Progress) {
        if self.written == progress.pinged {
            self.confirmed.record_ping(self.written);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::values::Epoch;
    use proptest::prelude::*;

    fn position(n: u64) -> Position {
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

    /// Sizes of packets, and how many packets are written after each.
    fn packets_and_writes() -> impl Strategy<Value = Vec<(usize, u64)>> {
        proptest::collection::vec((1usize..400, 0u64..4), 0..200)
    }

    proptest! {
        #[test]
        fn what_is_in_flight_stays_within_the_window(steps in packets_and_writes()) {
            let mut credit = Credit::new(8, 1_000);
            let mut handed_over = Vec::new();
            let mut written = 0u64;
            for (size, written_now) in steps {
                if credit.fits(size) {
                    credit.hand_over(size, None);
                    handed_over.push(size);
                }
                written = (written + written_now).min(handed_over.len() as u64);
                credit.apply_progress(wrote(written));
                let in_flight = &handed_over[written as usize..];
                let bytes = in_flight.iter().sum::<usize>();
                prop_assert_eq!(credit.in_flight(), in_flight.len());
                prop_assert_eq!(credit.window.bytes, bytes);
                prop_assert!(in_flight.len() <= 8);
                prop_assert!(bytes <= 1_000 || in_flight.len() == 1);
            }
        }

        /// Packets and pings are written and answered in order; the session looks at the progress
        /// now and then. The client has everything that counts as confirmed, and when all pings are
        /// answered and the progress is applied, nothing is missing.
        #[test]
        fn confirmed_is_what_preceded_an_answered_ping(
            steps in proptest::collection::vec(0u8..6, 0..200)
        ) {
            let mut credit = Credit::new(1_000, usize::MAX);
            credit.start_at(position(0));
            let mut progress = Progress::default();
            let mut handed_over = 0u64;
            let mut received = 0u64;
            for step in steps {
                match step {
                    0 | 1 => {
                        handed_over += 1;
                        credit.hand_over(1, Some(position(handed_over)));
                    }
                    2 if progress.written < handed_over => progress.written += 1,
                    3 => progress.pinged = progress.written,
                    4 => {
                        received = progress.pinged;
                        progress.answered = progress.pinged;
                    }
                    _ => credit.apply_progress(progress),
                }
                let confirmed = credit.confirmed().received();
                prop_assert!(confirmed.is_some_and(|confirmed| confirmed.n() <= received));
            }
            credit.apply_progress(progress);
            progress.pinged = progress.written;
            progress.answered = progress.written;
            credit.apply_progress(progress);
            prop_assert_eq!(credit.confirmed().received(), Some(position(progress.written)));
        }
    }

    /// A position counts as written only when its own packet is.
    #[test]
    fn a_volatile_event_is_written_before_the_packets_that_it_overtook() {
        let mut credit = Credit::new(8, 1_000);
        credit.start_at(position(0));
        credit.hand_over(10, Some(position(1)));
        credit.hand_over(20, Some(position(2)));
        credit.hand_over_volatile(30, 1);
        let written = [1, 2, 3].map(|count| {
            credit.apply_progress(wrote(count));
            credit.confirmed().written().map(Position::n)
        });
        assert_eq!(written, [Some(1), Some(1), Some(2)]);
        assert_eq!((credit.window.bytes, credit.volatile.bytes), (0, 0));
    }

    #[test]
    fn volatile_events_take_nothing_of_the_window() {
        let mut credit = Credit::new(2, 1_000);
        assert!(credit.fits_volatile(64 * 1024), "one always fits");
        for _ in 0..5 {
            assert!(credit.fits_volatile(50));
            credit.hand_over_volatile(50, 0);
        }
        assert!(!credit.fits_volatile(1));
        assert!(credit.is_half_free() && credit.fits(1_000));
        credit.hand_over(1_000, None);
        assert_eq!((credit.in_flight(), credit.in_window()), (6, 1));
        credit.apply_progress(wrote(5));
        assert!(credit.fits_volatile(250) && !credit.fits(1));
    }

    #[test]
    fn one_entry_of_any_size_fits_an_empty_window() {
        let mut credit = Credit::new(1, 10);
        assert!(credit.fits(64 * 1024));
        credit.hand_over(64 * 1024, None);
        assert!(!credit.fits(1));
        credit.apply_progress(wrote(1));
        assert!(credit.fits(64 * 1024));
    }
}

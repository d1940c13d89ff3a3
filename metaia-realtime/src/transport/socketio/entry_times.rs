//! The commits of the live entries that the engine has and has yet to write, for the node's
//! histograms.
//!
//! Packets are numbered as the link counts them. At most 32 are in flight: a session hands over no
//! more ([`MAX_IN_FLIGHT`]). If there were more, the oldest would not be timed. What is never
//! written is never counted.

use std::sync::Arc;

use crate::{
    node::{Counters, TransportKind},
    values::{Moment, SharedMoment},
};

/// The most packets whose commits are kept.
const MAX_IN_FLIGHT: usize = 32;

/// The transport of the packets: the engine serves no other.
const POLLING: TransportKind = TransportKind::Polling;

/// The commits, by the numbers of the packets.
#[derive(Debug)]
pub(super) struct EntryTimes {
    commits: [SharedMoment; MAX_IN_FLIGHT],
    counters: Arc<Counters>,
}

impl EntryTimes {
    pub(super) fn new(counters: &Arc<Counters>) -> Self {
        Self {
            commits: Default::default(),
            counters: Arc::clone(counters),
        }
    }

    /// Records that packet `number` is handed to the engine: a live entry that was committed at
    /// `committed`, or another packet.
    pub(super) fn hand_over(&self, number: u64, committed: Option<Moment>) {
        self.commit_of(number).set(committed);
        if let Some(committed) = committed {
            let latencies = &self.counters.latencies;
            let now = latencies.read_clock();
            latencies.record_hand_over(POLLING, committed, now);
        }
    }

    /// Records that the `count` packets from `number` on were written.
    pub(super) fn written(&self, number: u64, count: u64) {
        let latencies = &self.counters.latencies;
        let mut now = None;
        for number in number..number + count.min(MAX_IN_FLIGHT as u64) {
            if let Some(committed) = self.commit_of(number).take() {
                // One reading for all that were written at once.
                let now = *now.get_or_insert_with(|| latencies.read_clock());
                latencies.record_write(POLLING, committed, now);
            }
        }
    }

    fn commit_of(&self, number: u64) -> &SharedMoment {
        &self.commits[number as usize % MAX_IN_FLIGHT]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn counts(times: &EntryTimes) -> (u64, u64) {
        times.counters.latencies.counts(POLLING)
    }

    proptest! {
        /// Packets are handed over and written in any order of turns, some of them live entries.
        #[test]
        fn each_live_entry_is_timed_once_when_it_is_written(
            turns in proptest::collection::vec((0u64..20, any::<bool>(), 0u64..20), 0..80),
        ) {
            let times = EntryTimes::new(&Arc::default());
            let mut packets = Vec::new();
            let mut written = 0;
            for (handed_over, is_entry, written_now) in turns {
                for _ in 0..handed_over.min(MAX_IN_FLIGHT as u64 + written - packets.len() as u64) {
                    let committed = is_entry.then(Moment::now);
                    times.hand_over(packets.len() as u64, committed);
                    packets.push(is_entry);
                }
                let written_now = written_now.min(packets.len() as u64 - written);
                times.written(written, written_now);
                written += written_now;
                let entries = |packets: &[bool]| {
                    packets.iter().filter(|is_entry| **is_entry).count() as u64
                };
                let expected = (entries(&packets), entries(&packets[..written as usize]));
                prop_assert_eq!(counts(&times), expected);
            }
        }
    }

    #[test]
    fn a_packet_that_the_engine_refused_leaves_nothing_to_the_next() {
        let times = EntryTimes::new(&Arc::default());
        times.hand_over(7, Some(Moment::now()));
        times.hand_over(7, None);
        times.written(7, 1);
        assert_eq!(counts(&times), (1, 0));
    }

    #[test]
    fn more_packets_than_are_kept_are_counted_at_most_once() {
        let times = EntryTimes::new(&Arc::default());
        for number in 0..100 {
            times.hand_over(number, Some(Moment::now()));
        }
        times.written(0, 100);
        assert_eq!(counts(&times), (100, MAX_IN_FLIGHT as u64));
    }
}

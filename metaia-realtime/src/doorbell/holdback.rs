//! The holdback: volatile events that arrived before log entries that their sender knew of. A pure
//! kernel.
//!
//! An event that was sent after a user lost access to an order's room must not be delivered before
//! this node has dispatched that loss. So the holdback keeps the event until this node has
//! dispatched as much of the log as the sender knew, for at most 1 s. It holds at most 256 events
//! and 4 MiB; beyond that the oldest event is dropped.

use std::{collections::VecDeque, time::Duration};

use tokio::time::Instant;

use super::frame::VolatileFrame;
use crate::doorbell::log_head::LogHead;

/// Time after which a held event is dropped.
const HOLD_TIMEOUT: Duration = Duration::from_secs(1);
const MAX_EVENTS: usize = 256;
const MAX_BYTES: usize = 4 * 1024 * 1024;

#[derive(Debug, Default)]
pub(crate) struct Holdback {
    held: VecDeque<Held>,
    bytes: usize,
}

#[derive(Debug)]
struct Held {
    event: VolatileFrame,
    /// The time when the event is dropped.
    until: Instant,
}

impl Holdback {
    /// Returns whether no event is held: then a new event may be delivered without overtaking
    /// another.
    pub(crate) fn is_empty(&self) -> bool {
        self.held.is_empty()
    }

    /// Holds an event back. Returns the number of older events that were dropped for it.
    pub(crate) fn hold(&mut self, event: VolatileFrame, now: Instant) -> usize {
        self.bytes += size(&event);
        self.held.push_back(Held {
            event,
            until: now + HOLD_TIMEOUT,
        });
        let mut dropped = 0;
        while self.held.len() > MAX_EVENTS || self.bytes > MAX_BYTES {
            let Some(oldest) = self.held.pop_front() else {
                break;
            };
            self.bytes -= size(&oldest.event);
            dropped += 1;
        }
        dropped
    }

    /// Returns the events that may be delivered, in the order of their arrival, and the number of
    /// events that were dropped because they waited too long.
    pub(crate) fn release(
        &mut self,
        dispatched: LogHead,
        now: Instant,
    ) -> (Vec<VolatileFrame>, usize) {
        let mut ready = Vec::new();
        let mut late = 0;
        for held in std::mem::take(&mut self.held) {
            if held.until <= now {
                late += 1;
            } else if held.event.at.is_beyond(dispatched) {
                self.held.push_back(held);
            } else {
                ready.push(held.event);
            }
        }
        self.bytes = self.held.iter().map(|held| size(&held.event)).sum();
        (ready, late)
    }

    /// Returns the time when the first held event must be dropped.
    pub(crate) fn due(&self) -> Option<Instant> {
        self.held.front().map(|held| held.until)
    }
}

/// Returns the approximate size of an event in memory, in bytes.
fn size(event: &VolatileFrame) -> usize {
    /// A room with an id of 64 characters.
    const ROOM_BYTES: usize = 96;
    event.payload.get().len() + event.rooms.len() * ROOM_BYTES
}

#[cfg(test)]
mod tests {
    use serde_json::value::RawValue;

    use super::*;
    use crate::values::Epoch;

    fn at(n: u64) -> LogHead {
        LogHead {
            epoch: Epoch::from_bits(1),
            n,
        }
    }

    fn volatile(n: u64, bytes: usize) -> VolatileFrame {
        let payload = RawValue::from_string(format!("\"{}\"", "x".repeat(bytes))).unwrap();
        VolatileFrame {
            at: at(n),
            rooms: Vec::new(),
            name: "at".parse().unwrap(),
            payload,
            key: None,
        }
    }

    fn numbers(events: &[VolatileFrame]) -> Vec<u64> {
        events.iter().map(|event| event.at.n).collect()
    }

    #[tokio::test(start_paused = true)]
    async fn an_event_waits_for_the_entries_that_its_sender_knew() {
        let mut holdback = Holdback::default();
        let now = Instant::now();
        for n in [8, 9, 8] {
            assert_eq!(holdback.hold(volatile(n, 1), now), 0);
        }
        let (ready, late) = holdback.release(at(8), now);
        assert_eq!(numbers(&ready), [8, 8]);
        assert_eq!(late, 0);
        assert!(!holdback.is_empty());
        let elsewhere = LogHead {
            epoch: Epoch::from_bits(2),
            n: 100,
        };
        assert!(
            holdback.release(elsewhere, now).0.is_empty(),
            "numbers of another epoch cannot be compared"
        );
        assert_eq!(holdback.due(), Some(now + HOLD_TIMEOUT));
        assert_eq!(holdback.release(at(9), now + HOLD_TIMEOUT).1, 1);
        assert!(holdback.is_empty());
        assert_eq!(holdback.bytes, 0);
    }

    #[tokio::test(start_paused = true)]
    async fn the_newest_events_are_kept_in_bounded_memory() {
        let mut holdback = Holdback::default();
        let now = Instant::now();
        let small = (1..=1_000).map(|n| volatile(n, 1));
        let dropped: usize = small.map(|event| holdback.hold(event, now)).sum();
        assert_eq!(dropped, 1_000 - MAX_EVENTS);
        assert_eq!(holdback.held.len(), MAX_EVENTS);
        assert_eq!(holdback.held.front().unwrap().event.at.n, 745);
        let large = (1..=100).map(|n| volatile(n, 60_000));
        let dropped: usize = large.map(|event| holdback.hold(event, now)).sum();
        assert!(dropped > MAX_EVENTS, "{dropped}");
        assert!(holdback.bytes <= MAX_BYTES, "{}", holdback.bytes);
    }
}

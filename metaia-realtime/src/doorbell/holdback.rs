//! The holdback: volatile events that arrived before log entries that their sender knew of. A pure
//! kernel.
//!
//! An event that was sent after a user lost access to an order's room must not be delivered before
//! this node has dispatched that loss. So the holdback keeps the event until this node has
//! dispatched as much of the log as the sender knew, for at most 1 s. It holds at most 256 events
//! and 4 MiB; beyond that the oldest event is dropped, but first those that are *superseded*: a
//! newer one of their key, for the same rooms, is held.

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
    /// A newer event of the key, for the same rooms, is held behind it.
    is_superseded: bool,
}

impl Holdback {
    /// Returns whether no event is held: then a new event may be delivered without overtaking
    /// another.
    pub(crate) fn is_empty(&self) -> bool {
        self.held.is_empty()
    }

    /// Holds an event back. Returns the number of older events that were dropped for it.
    pub(crate) fn hold(&mut self, event: VolatileFrame, now: Instant) -> usize {
        self.mark_superseded_by(&event);
        self.bytes += size(&event);
        self.held.push_back(Held {
            event,
            until: now + HOLD_TIMEOUT,
            is_superseded: false,
        });
        let mut dropped = 0;
        while self.held.len() > MAX_EVENTS || self.bytes > MAX_BYTES {
            self.drop_one();
            dropped += 1;
        }
        dropped
    }

    fn mark_superseded_by(&mut self, event: &VolatileFrame) {
        let mut newest = self.held.iter_mut().filter(|held| !held.is_superseded);
        if let Some(older) = newest.find(|held| supersedes(event, &held.event)) {
            older.is_superseded = true;
        }
    }

    /// Drops the oldest event that is superseded, or, if there is none, the oldest.
    fn drop_one(&mut self) {
        let superseded = self.held.iter().position(|held| held.is_superseded);
        if let Some(dropped) = self.held.remove(superseded.unwrap_or(0)) {
            self.bytes -= size(&dropped.event);
        }
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

/// Returns whether every session that receives `older` receives `newer`, which has the same key.
/// The sessions of other rooms need the older event.
fn supersedes(newer: &VolatileFrame, older: &VolatileFrame) -> bool {
    let is_same_key = match (newer.key, older.key) {
        (Some(key), Some(other)) => key == other,
        (None, None) => newer.name == older.name,
        _ => false,
    };
    is_same_key && newer.rooms == older.rooms
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
    use crate::{Role, Room, event::VolatileKey, values::Epoch};

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

    /// Returns an event of a courier, in a room.
    fn place(n: u64, courier: u64, key: bool, rooms: &[Room]) -> VolatileFrame {
        VolatileFrame {
            rooms: rooms.to_vec(),
            name: format!("at_{courier}").parse().unwrap(),
            key: key.then(|| VolatileKey::new(courier)),
            ..volatile(n, 1)
        }
    }

    /// Holds two events each of couriers 1 and 2, then 400 of others. Returns the numbers of those
    /// that are left of couriers 1 and 2.
    fn left_of_two_couriers(key: bool, rooms: [&[Room]; 2]) -> Vec<u64> {
        let mut holdback = Holdback::default();
        let now = Instant::now();
        for (n, courier) in [(1, 1), (2, 2), (3, 1), (4, 2)] {
            let rooms = rooms[usize::from(n > 2)];
            holdback.hold(place(n, courier, key, rooms), now);
        }
        // Of 100 others: as many keys as may be held.
        for n in 5..405 {
            holdback.hold(place(n, 3 + n % 100, key, rooms[1]), now);
        }
        assert!(holdback.held.len() <= MAX_EVENTS);
        let (ready, _) = holdback.release(at(1_000), now);
        numbers(&ready).into_iter().filter(|n| *n < 5).collect()
    }

    #[tokio::test(start_paused = true)]
    async fn the_last_place_of_each_courier_is_kept() {
        let [here, there]: [&[Room]; 2] = [&[Room::Everyone], &[Room::Role(Role::Admin)]];
        assert_eq!(left_of_two_couriers(true, [here, here]), [3, 4]);
        assert_eq!(left_of_two_couriers(false, [here, here]), [3, 4]);
        let of_both = left_of_two_couriers(true, [here, there]);
        assert_eq!(
            of_both,
            [1, 2, 3, 4],
            "other sessions receive the older ones"
        );
    }

    #[tokio::test(start_paused = true)]
    async fn every_event_is_kept_while_there_is_space() {
        let mut holdback = Holdback::default();
        let now = Instant::now();
        for n in 1..=256 {
            assert_eq!(holdback.hold(place(n, 1, true, &[]), now), 0);
        }
        let (ready, _) = holdback.release(at(1_000), now);
        assert_eq!(numbers(&ready), (1..=256).collect::<Vec<_>>());
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

//! The holdback: volatile events that arrived before log entries that their sender knew of. A pure
//! kernel.
//!
//! An event that was sent after a user lost access to an order's room must not be delivered before
//! this node has dispatched that loss. So the holdback keeps the event until this node has
//! dispatched as much of the log as the sender knew, for at most 1 s. It holds at most 256 events
//! and 4 MiB; beyond that the oldest event is dropped, but first those that are *superseded*: a
//! newer one of their key, for the same rooms, is held.

use std::time::Duration;

use tokio::time::Instant;

use super::frame::VolatileFrame;
use crate::{
    doorbell::log_head::LogHead,
    event::{Conflated, ConflatingQueue, QueueOrder},
};

/// Time after which a held event is dropped.
const HOLD_TIMEOUT: Duration = Duration::from_secs(1);
const MAX_EVENTS: usize = 256;
const MAX_BYTES: usize = 4 * 1024 * 1024;

#[derive(Debug)]
pub(crate) struct Holdback(ConflatingQueue<Held>);

#[derive(Debug)]
struct Held {
    event: VolatileFrame,
    /// The time when the event is dropped.
    until: Instant,
}

impl Default for Holdback {
    fn default() -> Self {
        Self(ConflatingQueue::new(
            QueueOrder::Sent,
            MAX_EVENTS,
            MAX_BYTES,
        ))
    }
}

impl Holdback {
    /// Returns whether no event is held: then a new event may be delivered without overtaking
    /// another.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Holds an event back. Returns the number of older events that were dropped for it.
    pub(crate) fn hold(&mut self, event: VolatileFrame, now: Instant) -> usize {
        let until = now + HOLD_TIMEOUT;
        self.0.push(Held { event, until }, ())
    }

    /// Returns the events that may be delivered, in the order of their arrival, and the number of
    /// events that were dropped because they waited too long.
    pub(crate) fn release(
        &mut self,
        dispatched: LogHead,
        now: Instant,
    ) -> (Vec<VolatileFrame>, usize) {
        let late = self.0.extract(|held| held.until <= now).len();
        let ready = self.0.extract(|held| !held.event.at.is_beyond(dispatched));
        (ready.into_iter().map(|held| held.event).collect(), late)
    }

    /// Returns the time when the first held event must be dropped.
    pub(crate) fn due(&self) -> Option<Instant> {
        self.0.first().map(|(held, ())| held.until)
    }
}

impl Conflated for Held {
    /// Returns the approximate size in memory.
    fn size(&self) -> usize {
        /// A room with an id of 64 characters.
        const ROOM_BYTES: usize = 96;
        self.event.payload.get().len() + self.event.rooms.len() * ROOM_BYTES
    }

    fn supersedes(&self, older: &Self) -> bool {
        self.event.supersedes(&older.event)
    }
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
        assert_eq!(holdback.0.size(), (0, 0));
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
        assert!(holdback.0.size().0 <= MAX_EVENTS);
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
        assert_eq!(holdback.0.size().0, MAX_EVENTS);
        assert_eq!(holdback.0.first().unwrap().0.event.at.n, 745);
        let large = (1..=100).map(|n| volatile(n, 60_000));
        let dropped: usize = large.map(|event| holdback.hold(event, now)).sum();
        assert!(dropped > MAX_EVENTS, "{dropped}");
        let (_, bytes) = holdback.0.size();
        assert!(bytes <= MAX_BYTES, "{bytes}");
    }
}

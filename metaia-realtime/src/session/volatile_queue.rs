//! The volatile events of a session that wait to be written.
//!
//! While a client keeps up, all of its events wait in order, since its session's task only has to
//! run. Once the client falls behind, and until the queue is empty, the queue *conflates*: of the
//! events with one key only the newest waits, in the place of the oldest. So each key has its turn,
//! however often it is replaced.
//!
//! At the edges: the queue is full at a number of events, or of bytes; one event always fits. What
//! it drops then is described in [`conflating_queue`](crate::event::ConflatingQueue).

use std::sync::Arc;

use super::packet::Volatile;
use crate::{
    OrderId, Room,
    event::{Conflated, ConflatingQueue, QueueOrder},
};

/// The result of offering a volatile event to a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum VolatileOffered {
    /// The session is not in the room, must not receive from it now, or receives the event by
    /// another room.
    NotWanted,
    /// The event waits to be written. `dropped` is the number of older events that were dropped
    /// for it.
    Queued { dropped: usize },
}

/// The events that wait, in the order in which they are written. The number of a place is the
/// number of other packets after which its event is written: none behind it is due earlier.
#[derive(Debug)]
pub(super) struct VolatileQueue(ConflatingQueue<WaitingEvent, u64>);

/// An event that waits.
#[derive(Debug)]
struct WaitingEvent {
    event: Arc<Volatile>,
    /// The room by which the session receives it.
    room: Room,
}

impl VolatileQueue {
    /// Returns a queue for `max_events` events of `max_bytes` together, or for one larger event.
    pub(super) fn new(max_events: usize, max_bytes: usize) -> Self {
        Self(ConflatingQueue::new(
            QueueOrder::Turns,
            max_events,
            max_bytes,
        ))
    }

    /// Adds an event that the session receives by `room`. It is written after `due` other packets
    /// at the latest. `keeps_up` says whether the client does.
    pub(super) fn offer(
        &mut self,
        event: &Arc<Volatile>,
        room: &Room,
        due: u64,
        keeps_up: bool,
    ) -> VolatileOffered {
        if !keeps_up {
            self.0.conflate();
        }
        let waiting = WaitingEvent {
            event: Arc::clone(event),
            room: room.clone(),
        };
        let dropped = self.0.push(waiting, due);
        VolatileOffered::Queued { dropped }
    }

    /// Returns whether the first event is due when `taken` other packets were taken.
    pub(super) fn is_due(&self, taken: u64) -> bool {
        let first = self.0.first();
        first.is_some_and(|(_, due)| due <= taken)
    }

    /// Returns the first event.
    pub(super) fn first(&self) -> Option<&Arc<Volatile>> {
        self.0.first().map(|(first, _)| &first.event)
    }

    /// Removes the first event.
    pub(super) fn pop(&mut self) -> Option<Arc<Volatile>> {
        self.0.pop().map(|first| first.event)
    }

    /// Drops the events of a room.
    pub(super) fn drop_room(&mut self, room: &Room) {
        self.0.extract(|waiting| waiting.room == *room);
    }

    /// Drops the events of an order's room.
    pub(super) fn drop_order(&mut self, order: &OrderId) {
        self.0
            .extract(|waiting| waiting.room.order() == Some(order));
    }
}

impl Conflated for WaitingEvent {
    fn size(&self) -> usize {
        self.event.size()
    }

    /// Compares the keys that the senders gave; without a key, the names and the rooms.
    fn supersedes(&self, older: &Self) -> bool {
        match (self.event.key, older.event.key) {
            (Some(key), Some(other)) => key == other,
            (None, None) => self.event.name == older.event.name && self.room == older.room,
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::value::to_raw_value;

    use super::*;
    use crate::event::VolatileKey;

    const NEVER: u64 = u64::MAX;

    fn room(user: &str) -> Room {
        Room::User(user.parse().unwrap())
    }

    fn queue(max_events: usize) -> VolatileQueue {
        VolatileQueue::new(max_events, usize::MAX)
    }

    /// Offers an event with a number as payload. Returns how many were dropped for it.
    fn offer(
        queue: &mut VolatileQueue,
        (name, key, room): (&str, Option<&str>, &Room),
        number: u64,
        keeps_up: bool,
    ) -> usize {
        let event = Arc::new(Volatile {
            name: name.parse().unwrap(),
            payload: to_raw_value(&number).unwrap(),
            rooms: Vec::new(),
            key: key.map(VolatileKey::new),
            frame: std::sync::OnceLock::new(),
        });
        match queue.offer(&event, room, NEVER, keeps_up) {
            VolatileOffered::Queued { dropped } => dropped,
            VolatileOffered::NotWanted => unreachable!("every event is queued"),
        }
    }

    fn rest(queue: &mut VolatileQueue) -> Vec<u64> {
        let popped = std::iter::from_fn(|| queue.pop());
        let number = |event: Arc<Volatile>| event.payload.get().parse().unwrap();
        popped.map(number).collect()
    }

    #[test]
    fn a_client_that_keeps_up_loses_none() {
        let mut queue = queue(256);
        let dropped: usize = (0..256)
            .map(|i| offer(&mut queue, ("at", None, &room("a")), i, true))
            .sum();
        assert_eq!(dropped, 0);
        assert_eq!(rest(&mut queue), (0..256).collect::<Vec<_>>());
    }

    #[test]
    fn of_more_events_of_one_key_than_may_wait_the_newest_are_written() {
        let mut queue = queue(256);
        let dropped: usize = (0..300)
            .map(|i| offer(&mut queue, ("at", None, &room("a")), i, true))
            .sum();
        assert_eq!(dropped, 44);
        assert_eq!(rest(&mut queue), (44..300).collect::<Vec<_>>());
    }

    #[test]
    fn the_default_key_is_the_name_and_the_room() {
        let mut queue = queue(256);
        let events = [("at", "a"), ("at", "b"), ("to", "a"), ("at", "a")];
        for (i, (name, user)) in (0..).zip(events) {
            offer(&mut queue, (name, None, &room(user)), i, false);
        }
        assert_eq!(rest(&mut queue), [3, 1, 2]);
    }

    #[test]
    fn a_given_key_is_the_whole_key() {
        let mut queue = queue(256);
        let events = [
            ("at", Some("k"), "a"),
            ("at", None, "a"),
            ("at", Some("l"), "a"),
            ("to", Some("k"), "b"),
        ];
        for (i, (name, key, user)) in (0..).zip(events) {
            offer(&mut queue, (name, key, &room(user)), i, false);
        }
        assert_eq!(rest(&mut queue), [3, 1, 2]);
    }

    #[test]
    fn a_client_that_falls_behind_keeps_the_newest_of_each_key() {
        let mut queue = queue(256);
        let room = room("a");
        for i in 0..10 {
            let key = ["even", "odd"][i as usize % 2];
            offer(&mut queue, ("at", Some(key), &room), i, true);
        }
        let dropped = offer(&mut queue, ("at", Some("odd"), &room), 10, false);
        assert_eq!(dropped, 9);
        // It conflates until it is empty.
        offer(&mut queue, ("at", Some("even"), &room), 11, true);
        assert_eq!(rest(&mut queue), [11, 10]);
        offer(&mut queue, ("at", Some("odd"), &room), 12, true);
        offer(&mut queue, ("at", Some("odd"), &room), 13, true);
        assert_eq!(rest(&mut queue), [12, 13]);
    }

    #[test]
    fn a_full_queue_drops_superseded_events_first_and_then_the_one_that_was_sent_first() {
        let mut queue = queue(3);
        let room = room("a");
        let mut offer = |key, i| offer(&mut queue, ("at", Some(key), &room), i, true);
        assert_eq!(offer("a", 0), 0);
        assert_eq!(offer("a", 1), 0);
        assert_eq!(offer("b", 2), 0);
        assert_eq!(offer("c", 3), 1, "the older event of a");
        assert_eq!(
            offer("a", 4),
            1,
            "the newer one of a, which keeps its place"
        );
        assert_eq!(offer("d", 5), 1, "b, which was sent first");
        assert_eq!(rest(&mut queue), [4, 3, 5]);
    }

    /// Each key waits from its first event on, whatever is dropped.
    #[test]
    fn a_key_of_which_events_are_dropped_keeps_its_turn() {
        let mut queue = queue(4);
        let room = room("a");
        let mut offer = |key, i| offer(&mut queue, ("at", Some(key), &room), i, true);
        let dropped = [("a", 0), ("b", 1), ("a", 2), ("b", 3), ("c", 4), ("a", 5)];
        let dropped = dropped.map(|(key, i)| offer(key, i));
        assert_eq!(dropped, [0, 0, 0, 0, 1, 1]);
        assert_eq!(rest(&mut queue), [2, 3, 4, 5]);
    }

    #[test]
    fn a_queue_that_was_full_drops_one_of_a_key_for_each_until_it_is_empty() {
        let mut queue = queue(4);
        let room = room("a");
        for i in 0..6 {
            offer(&mut queue, ("at", None, &room), i, true);
        }
        assert!(queue.pop().is_some() && queue.pop().is_some());
        assert_eq!(offer(&mut queue, ("at", None, &room), 6, true), 1);
        assert_eq!(offer(&mut queue, ("to", None, &room), 7, true), 0);
        assert_eq!(rest(&mut queue), [5, 6, 7]);
        assert_eq!(offer(&mut queue, ("at", None, &room), 8, true), 0);
        assert_eq!(offer(&mut queue, ("at", None, &room), 9, true), 0);
    }

    /// An event of ten bytes has a number of one digit and the name `at`.
    #[test]
    fn the_bytes_of_waiting_events_are_bounded() {
        let mut queue = VolatileQueue::new(256, 30);
        let room = room("a");
        let mut offer = |key, i| offer(&mut queue, ("at", Some(key), &room), i, true);
        assert_eq!([offer("a", 1), offer("b", 2), offer("a", 3)], [0, 0, 0]);
        assert_eq!(offer("c", 4), 1, "the older event of a");
        assert_eq!(offer("d", 5), 1, "b, which was sent first");
        assert_eq!(offer("a", 66), 2, "the older event of a, and c");
        assert_eq!(offer("e", 12_345_678_901_234), 2);
        assert_eq!(rest(&mut queue), [12_345_678_901_234]);
        assert_eq!(queue.0.size(), (0, 0));
    }

    #[test]
    fn one_event_of_any_size_waits() {
        let mut queue = VolatileQueue::new(256, 9);
        let room = room("a");
        let dropped = [1, 2, 3].map(|i| offer(&mut queue, ("at", None, &room), i, i < 3));
        assert_eq!(dropped, [0, 1, 1]);
        assert_eq!(rest(&mut queue), [3]);
    }

    #[test]
    fn the_bytes_of_a_room_that_was_left_are_free() {
        let mut queue = VolatileQueue::new(256, 20);
        offer(&mut queue, ("at", None, &room("a")), 1, true);
        offer(&mut queue, ("at", None, &room("b")), 2, true);
        queue.drop_room(&room("a"));
        assert_eq!(offer(&mut queue, ("to", None, &room("b")), 3, true), 0);
        assert_eq!(rest(&mut queue), [2, 3]);
    }
}

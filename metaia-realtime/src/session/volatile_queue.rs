//! The volatile events of a session that wait to be written. A pure kernel.
//!
//! While a client keeps up, all of its events wait in order, since its session's task only has to
//! run. Once the client falls behind, and until the queue is empty, the queue *conflates*: of the
//! events with one key only the newest waits, in the place of the oldest. So each key has its turn,
//! however often it is replaced.
//!
//! At the edges: the queue is full at a number of events, or of bytes; one event always fits. It
//! then drops as many as it must: first events that are *superseded*, since a newer one of their
//! key waits, and after those the newest of a key, each in the order of sending. From then until it
//! is empty, each event of a key that waits replaces a superseded one: otherwise a client that
//! reads a little too slowly would always be a full queue behind.

use std::{collections::VecDeque, sync::Arc};

use super::packet::Volatile;
use crate::{OrderId, Room};

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

/// The events that wait, in the order in which they are written.
#[derive(Debug)]
pub(super) struct VolatileQueue {
    waiting: VecDeque<Waiting>,
    max_events: usize,
    max_bytes: usize,
    /// The size of the events that wait.
    bytes: usize,
    /// The number of events that were offered.
    offered: u64,
    mode: Mode,
}

/// The way in which the queue takes an event of a key that waits already.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mode {
    /// It waits, too.
    All,
    /// The queue was full: the event waits, and a superseded one is dropped.
    Full,
    /// The client fell behind: the event replaces the older one.
    Conflating,
}

/// An event that waits.
#[derive(Debug)]
struct Waiting {
    event: Arc<Volatile>,
    /// The room by which the session receives it.
    room: Room,
    /// Rises with each event that is offered.
    number: u64,
    /// The number of other packets after which the event is written. It belongs to the place in
    /// the queue: none behind it is due earlier.
    due: u64,
    /// A newer event of the key waits behind it.
    is_superseded: bool,
}

impl VolatileQueue {
    /// Returns a queue for `max_events` events of `max_bytes` together, or for one larger event.
    pub(super) fn new(max_events: usize, max_bytes: usize) -> Self {
        Self {
            waiting: VecDeque::new(),
            max_events,
            max_bytes,
            bytes: 0,
            offered: 0,
            mode: Mode::All,
        }
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
            self.mode = Mode::Conflating;
        }
        let is_new_key = self.push(event, room, due);
        let mut dropped = match self.mode {
            Mode::Full if !is_new_key => usize::from(self.drop_superseded()),
            Mode::Full | Mode::All => 0,
            Mode::Conflating => self.drop_all_superseded(),
        };
        while self.is_over() {
            self.mode = self.mode.when_full();
            if !self.drop_superseded() {
                self.drop_first_sent();
            }
            dropped += 1;
        }
        VolatileOffered::Queued { dropped }
    }

    /// Adds an event at the end. Returns whether none of its key has waited.
    fn push(&mut self, event: &Arc<Volatile>, room: &Room, due: u64) -> bool {
        let mut newest = self.waiting.iter_mut().filter(|it| !it.is_superseded);
        let older = newest.find(|waiting| waiting.has_key_of(event, room));
        let is_new_key = older.is_none();
        if let Some(older) = older {
            older.is_superseded = true;
        }
        self.offered += 1;
        self.bytes += event.size();
        self.waiting.push_back(Waiting {
            event: Arc::clone(event),
            room: room.clone(),
            number: self.offered,
            due,
            is_superseded: false,
        });
        is_new_key
    }

    fn is_over(&self) -> bool {
        let is_over = self.waiting.len() > self.max_events || self.bytes > self.max_bytes;
        is_over && self.waiting.len() > 1
    }

    /// Drops the superseded events. Returns their number.
    fn drop_all_superseded(&mut self) -> usize {
        let mut dropped = 0;
        while self.drop_superseded() {
            dropped += 1;
        }
        dropped
    }

    /// Drops the superseded event that was sent first. The newer ones of its key move up, so that
    /// the key keeps its turn. Returns `false` if there is none.
    fn drop_superseded(&mut self) -> bool {
        let superseded = self.waiting.iter().enumerate();
        let superseded = superseded.filter(|(_, waiting)| waiting.is_superseded);
        let Some((mut place, _)) = superseded.min_by_key(|(_, waiting)| waiting.number) else {
            return false;
        };
        while let Some(next) = self.next_of_key(place) {
            self.swap(place, next);
            place = next;
        }
        self.remove(place);
        true
    }

    /// Returns the next place that has an event of the key of the one at `place`.
    fn next_of_key(&self, place: usize) -> Option<usize> {
        let this = &self.waiting[place];
        let mut behind = self.waiting.range(place + 1..);
        let next = behind.position(|waiting| waiting.has_key_of(&this.event, &this.room));
        next.map(|offset| place + 1 + offset)
    }

    /// Swaps the events at two places, which keep the times when they are due.
    fn swap(&mut self, place: usize, other: usize) {
        let due = self.waiting[place].due;
        self.waiting.swap(place, other);
        self.waiting[other].due = self.waiting[place].due;
        self.waiting[place].due = due;
    }

    fn drop_first_sent(&mut self) {
        let numbers = self.waiting.iter().map(|waiting| waiting.number);
        let first = numbers.enumerate().min_by_key(|(_, number)| *number);
        if let Some((index, _)) = first {
            self.remove(index);
        }
    }

    fn remove(&mut self, place: usize) -> Option<Waiting> {
        let removed = self.waiting.remove(place)?;
        self.bytes -= removed.event.size();
        Some(removed)
    }

    /// Returns whether the first event is due when `taken` other packets were taken.
    pub(super) fn is_due(&self, taken: u64) -> bool {
        let first = self.waiting.front();
        first.is_some_and(|first| first.due <= taken)
    }

    /// Returns the first event.
    pub(super) fn first(&self) -> Option<&Arc<Volatile>> {
        self.waiting.front().map(|first| &first.event)
    }

    /// Removes the first event.
    pub(super) fn pop(&mut self) -> Option<Arc<Volatile>> {
        let first = self.remove(0)?;
        self.rest_if_empty();
        Some(first.event)
    }

    /// Drops the events of a room.
    pub(super) fn drop_room(&mut self, room: &Room) {
        self.retain(|waiting| waiting.room != *room);
    }

    /// Drops the events of an order's room.
    pub(super) fn drop_order(&mut self, order: &OrderId) {
        self.retain(|waiting| waiting.room.order() != Some(order));
    }

    fn retain(&mut self, stays: impl Fn(&Waiting) -> bool) {
        self.waiting.retain(stays);
        self.bytes = self.waiting.iter().map(|it| it.event.size()).sum();
        self.rest_if_empty();
    }

    fn rest_if_empty(&mut self) {
        if self.waiting.is_empty() {
            self.mode = Mode::All;
            // Frees the memory: most sessions are idle most of the time.
            self.waiting = VecDeque::new();
        }
    }
}

impl Mode {
    const fn when_full(self) -> Self {
        match self {
            Self::All | Self::Full => Self::Full,
            Self::Conflating => Self::Conflating,
        }
    }
}

impl Waiting {
    /// Returns whether an event that the session receives by `room` has the key of this one: the
    /// key that its sender gave, or, without one, its name and the room.
    fn has_key_of(&self, event: &Volatile, room: &Room) -> bool {
        match (self.event.key, event.key) {
            (Some(key), Some(other)) => key == other,
            (None, None) => self.event.name == event.name && self.room == *room,
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
        assert_eq!(queue.bytes, 0);
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

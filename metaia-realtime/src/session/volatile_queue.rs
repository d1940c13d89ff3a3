//! The volatile events of a session that wait to be written. A pure kernel.
//!
//! While a client keeps up, all of its events wait in order, since its session's task only has to
//! run. Otherwise the queue *conflates*: of the events with one key only the newest waits, in the
//! place of the oldest. So each key has its turn, however often it is replaced. The queue conflates
//! from when the client falls behind, or the queue is full, until it is empty.
//!
//! At the edges: if as many keys wait as the limit allows, the event that was sent first is dropped
//! for a new key.

use std::{collections::VecDeque, sync::Arc};

use super::packet::Volatile;
use crate::{OrderId, Room};

/// What happened to a volatile event that was offered to a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum VolatileOffered {
    /// The session is not in the room, must not receive from it now, or receives the event by
    /// another room.
    NotWanted,
    /// The event waits to be written, and so many older ones were dropped.
    Queued { dropped: usize },
}

/// The events that wait, in the order in which they are written.
#[derive(Debug)]
pub(super) struct VolatileQueue {
    waiting: VecDeque<Waiting>,
    max: usize,
    /// The number of events that were offered.
    offered: u64,
    is_conflating: bool,
}

/// An event that waits.
#[derive(Debug)]
struct Waiting {
    event: Arc<Volatile>,
    /// The room by which the session receives it.
    room: Room,
    /// Rises with each event that is offered.
    number: u64,
    /// The number of other packets after which the event is written.
    due: u64,
    /// A newer event of the key waits behind it.
    is_superseded: bool,
}

impl VolatileQueue {
    /// Returns a queue for `max` events.
    pub(super) fn new(max: usize) -> Self {
        Self {
            waiting: VecDeque::new(),
            max,
            offered: 0,
            is_conflating: false,
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
        let mut dropped = 0;
        if !keeps_up || self.waiting.len() >= self.max {
            dropped += self.conflate();
        }
        self.offered += 1;
        let mut newest = self.waiting.iter_mut().filter(|it| !it.is_superseded);
        let is_new_key = match newest.find(|waiting| waiting.has_key_of(event, room)) {
            Some(older) if self.is_conflating => {
                older.replace(event, room, self.offered);
                return VolatileOffered::Queued {
                    dropped: dropped + 1,
                };
            }
            Some(older) => {
                older.is_superseded = true;
                false
            }
            None => true,
        };
        if is_new_key && self.waiting.len() >= self.max {
            self.drop_first_sent();
            dropped += 1;
        }
        self.push(event, room, due);
        VolatileOffered::Queued { dropped }
    }

    fn push(&mut self, event: &Arc<Volatile>, room: &Room, due: u64) {
        self.waiting.push_back(Waiting {
            event: Arc::clone(event),
            room: room.clone(),
            number: self.offered,
            due,
            is_superseded: false,
        });
    }

    /// Begins to conflate. Returns how many events were dropped, since newer ones of their keys
    /// wait.
    fn conflate(&mut self) -> usize {
        if self.is_conflating {
            return 0;
        }
        self.is_conflating = true;
        let before = self.waiting.len();
        self.waiting.retain(|waiting| !waiting.is_superseded);
        before - self.waiting.len()
    }

    fn drop_first_sent(&mut self) {
        let numbers = self.waiting.iter().map(|waiting| waiting.number);
        let first = numbers.enumerate().min_by_key(|(_, number)| *number);
        if let Some((index, _)) = first {
            self.waiting.remove(index);
        }
    }

    /// Returns whether the first event is due when `taken` other packets were taken.
    pub(super) fn is_due(&self, taken: u64) -> bool {
        // None behind it is due earlier.
        let first = self.waiting.front();
        first.is_some_and(|first| first.due <= taken)
    }

    /// Returns the first event.
    pub(super) fn first(&self) -> Option<&Arc<Volatile>> {
        self.waiting.front().map(|first| &first.event)
    }

    /// Removes the first event.
    pub(super) fn pop(&mut self) -> Option<Arc<Volatile>> {
        let first = self.waiting.pop_front()?;
        self.rest_if_empty();
        Some(first.event)
    }

    /// Drops the events of a room.
    pub(super) fn drop_room(&mut self, room: &Room) {
        self.waiting.retain(|waiting| waiting.room != *room);
        self.rest_if_empty();
    }

    /// Drops the events of an order's room.
    pub(super) fn drop_order(&mut self, order: &OrderId) {
        self.waiting
            .retain(|waiting| waiting.room.order() != Some(order));
        self.rest_if_empty();
    }

    fn rest_if_empty(&mut self) {
        if self.waiting.is_empty() {
            self.is_conflating = false;
            // Frees the memory: most sessions are idle most of the time.
            self.waiting = VecDeque::new();
        }
    }
}

impl Waiting {
    /// Puts a newer event of the key in the place of this one, which keeps its turn.
    fn replace(&mut self, event: &Arc<Volatile>, room: &Room, number: u64) {
        self.event = Arc::clone(event);
        self.room = room.clone();
        self.number = number;
    }

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

    /// Offers an event with a number as payload. Returns how many were dropped for it.
    fn offer(
        queue: &mut VolatileQueue,
        (name, key, room): (&str, Option<&str>, &Room),
        number: u32,
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

    fn rest(queue: &mut VolatileQueue) -> Vec<u32> {
        let popped = std::iter::from_fn(|| queue.pop());
        let number = |event: Arc<Volatile>| event.payload.get().parse().unwrap();
        popped.map(number).collect()
    }

    #[test]
    fn a_client_that_keeps_up_loses_none() {
        let mut queue = VolatileQueue::new(256);
        let dropped: usize = (0..256)
            .map(|i| offer(&mut queue, ("at", None, &room("a")), i, true))
            .sum();
        assert_eq!(dropped, 0);
        assert_eq!(rest(&mut queue), (0..256).collect::<Vec<_>>());
    }

    #[test]
    fn the_default_key_is_the_name_and_the_room() {
        let mut queue = VolatileQueue::new(256);
        let events = [("at", "a"), ("at", "b"), ("to", "a"), ("at", "a")];
        for (i, (name, user)) in (0..).zip(events) {
            offer(&mut queue, (name, None, &room(user)), i, false);
        }
        assert_eq!(rest(&mut queue), [3, 1, 2]);
    }

    #[test]
    fn a_given_key_is_the_whole_key() {
        let mut queue = VolatileQueue::new(256);
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
        let mut queue = VolatileQueue::new(256);
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
        let mut queue = VolatileQueue::new(3);
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
}

//! The rooms of a session. A pure kernel.

use std::collections::HashMap;

use crate::{OrderId, Room};

/// Rooms, each with the entry number after which its entries are wanted.
#[derive(Debug)]
pub(super) struct RoomSet {
    wanted_after: HashMap<Room, u64>,
}

impl RoomSet {
    /// Returns a set of these rooms. All of their entries are wanted.
    pub(super) fn new(rooms: impl IntoIterator<Item = Room>) -> Self {
        Self {
            wanted_after: rooms.into_iter().map(|room| (room, 0)).collect(),
        }
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Room> {
        self.wanted_after.keys()
    }

    pub(super) fn contains(&self, room: &Room) -> bool {
        self.wanted_after.contains_key(room)
    }

    /// Returns how many rooms count against the limit: all but [`Room::Everyone`], which clients
    /// are never shown.
    pub(super) fn counted(&self) -> usize {
        self.iter().filter(|room| **room != Room::Everyone).count()
    }

    /// Returns the orders whose rooms are in the set.
    pub(super) fn orders(&self) -> Vec<OrderId> {
        self.iter().filter_map(Room::order).cloned().collect()
    }

    /// Adds `room`, for entries after `n`. If the room is in the set already, the smaller `n`
    /// counts.
    pub(super) fn join(&mut self, room: Room, n: u64) {
        let wanted_after = self.wanted_after.entry(room).or_insert(n);
        *wanted_after = n.min(*wanted_after);
    }

    pub(super) fn leave(&mut self, room: &Room) {
        self.wanted_after.remove(room);
    }

    /// Returns whether entry `n` of `room` is wanted.
    pub(super) fn wants(&self, room: &Room, n: u64) -> bool {
        self.wanted_after
            .get(room)
            .is_some_and(|wanted_after| n > *wanted_after)
    }

    /// Wants the entries of every room from `head` on, also of a room that was joined while the log
    /// was longer.
    pub(super) fn lower_to(&mut self, head: u64) {
        for wanted_after in self.wanted_after.values_mut() {
            *wanted_after = head.min(*wanted_after);
        }
    }
}

//! The rooms of a session. A pure kernel.

use crate::{OrderId, Room};

/// Rooms, each with the entry number after which its entries are wanted. Sorted by room: most
/// sessions are in two or three, and every delivery looks one up.
#[derive(Debug)]
pub(super) struct RoomSet {
    wanted_after: Vec<(Room, u64)>,
}

impl RoomSet {
    /// Returns a set of these rooms. All of their entries are wanted.
    pub(super) fn new(rooms: impl IntoIterator<Item = Room>) -> Self {
        let mut wanted_after: Vec<(Room, u64)> = rooms.into_iter().map(|room| (room, 0)).collect();
        wanted_after.sort();
        wanted_after.dedup();
        wanted_after.shrink_to_fit();
        Self { wanted_after }
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Room> {
        self.wanted_after.iter().map(|(room, _)| room)
    }

    pub(super) fn contains(&self, room: &Room) -> bool {
        self.find(room).is_ok()
    }

    /// Returns the index of a room, or the one at which it would stand.
    fn find(&self, room: &Room) -> Result<usize, usize> {
        self.wanted_after
            .binary_search_by(|(known, _)| known.cmp(room))
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
        match self.find(&room) {
            Ok(index) => {
                let wanted_after = &mut self.wanted_after[index].1;
                *wanted_after = n.min(*wanted_after);
            }
            Err(index) => self.wanted_after.insert(index, (room, n)),
        }
    }

    pub(super) fn leave(&mut self, room: &Room) {
        if let Ok(index) = self.find(room) {
            self.wanted_after.remove(index);
        }
    }

    /// Returns whether entry `n` of `room` is wanted.
    pub(super) fn wants(&self, room: &Room, n: u64) -> bool {
        self.find(room)
            .is_ok_and(|index| n > self.wanted_after[index].1)
    }

    /// Wants the entries of every room from `head` on, also of a room that was joined while the log
    /// was longer.
    pub(super) fn lower_to(&mut self, head: u64) {
        for (_, wanted_after) in &mut self.wanted_after {
            *wanted_after = head.min(*wanted_after);
        }
    }
}

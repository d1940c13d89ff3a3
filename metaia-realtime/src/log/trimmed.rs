//! The highest trimmed `n` of each room: what says whether a client that was away has missed
//! something for good.
//!
//! Kept for 65,536 rooms one by one. Beyond it the lower half shares one mark, which can only lead
//! to a reset that was not needed.

use std::collections::HashMap;

use crate::Room;

/// Rooms with a mark of their own, at most.
const ROOMS: usize = 65_536;

/// The highest trimmed `n` of each room.
#[derive(Debug, Default)]
pub(crate) struct Trimmed {
    rooms: HashMap<Room, u64>,
    /// Of all rooms that have no mark of their own any more.
    others: u64,
}

impl Trimmed {
    /// The marks that a store kept.
    #[cfg(any(feature = "mongodb", feature = "sqlite"))]
    pub(crate) const fn of(rooms: HashMap<Room, u64>, others: u64) -> Self {
        Self { rooms, others }
    }

    /// Entry `n` of the room is about to go. Marks only rise.
    pub(crate) fn mark(&mut self, room: &Room, n: u64) {
        let mark = self.rooms.entry(room.clone()).or_default();
        *mark = n.max(*mark);
        if self.rooms.len() > ROOMS {
            self.merge_lower_half();
        }
    }

    /// The highest trimmed `n` of any of the rooms, 0 where there is none.
    pub(crate) fn highest(&self, rooms: &[Room]) -> u64 {
        rooms
            .iter()
            .map(|room| self.rooms.get(room).copied().unwrap_or(self.others))
            .max()
            .unwrap_or(0)
    }

    /// The mark of all rooms that have none of their own.
    #[cfg(any(feature = "mongodb", feature = "sqlite"))]
    pub(crate) const fn others(&self) -> u64 {
        self.others
    }

    /// No room has a lower one.
    #[cfg(feature = "mongodb")]
    pub(crate) fn raise_others(&mut self, n: u64) {
        self.others = self.others.max(n);
        self.rooms.retain(|_, mark| *mark > n);
    }

    fn merge_lower_half(&mut self) {
        let mut marks: Vec<u64> = self.rooms.values().copied().collect();
        let middle = marks.len() / 2;
        let (_, &mut median, _) = marks.select_nth_unstable(middle);
        self.rooms.retain(|_, n| *n > median);
        self.others = self.others.max(median);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_of_many_rooms_are_merged_upwards() {
        let room = |n: u64| Room::User(format!("u{n}").parse().unwrap());
        let mut trimmed = Trimmed::default();
        for n in 1..=70_000 {
            trimmed.mark(&room(n), n);
        }
        assert!(trimmed.rooms.len() <= ROOMS);
        for n in [1, 100, 40_000, 70_000] {
            assert!(trimmed.highest(&[room(n)]) >= n);
        }
    }
}

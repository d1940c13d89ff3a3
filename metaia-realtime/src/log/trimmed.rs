//! The trim marks: for each room, the number of its last trimmed entry. They show whether a client
//! that reconnects has missed entries that are gone.
//!
//! Up to 65,536 rooms have a mark of their own. Beyond that, the lower half of the marks is merged
//! into one shared mark, the highest of them. That can cause a reset that was not needed, and never
//! hides one.

use std::collections::HashMap;

use crate::Room;

/// Rooms with a mark of their own, at most.
const MAX_ROOMS: usize = 65_536;

/// The marks of the rooms that have one of their own, and the shared mark of all other rooms.
#[derive(Debug, Default)]
pub(crate) struct Trimmed {
    rooms: HashMap<Room, u64>,
    /// The shared mark of all rooms without a mark of their own; 0 if no marks were merged yet.
    others: u64,
}

impl Trimmed {
    /// Returns the marks that a store has kept.
    #[cfg(any(feature = "mongodb", feature = "sqlite"))]
    pub(crate) const fn from_marks(rooms: HashMap<Room, u64>, others: u64) -> Self {
        Self { rooms, others }
    }

    /// Raises the room's mark because its entry `n` is about to be trimmed. Marks never fall.
    pub(crate) fn mark(&mut self, room: &Room, n: u64) {
        if let Some(mark) = self.rooms.get_mut(room) {
            *mark = n.max(*mark);
            return;
        }
        self.rooms.insert(room.clone(), n);
        if self.rooms.len() > MAX_ROOMS {
            self.merge_lower_half();
        }
    }

    /// Returns the highest trimmed number in any of the rooms; 0 if there is none.
    pub(crate) fn highest(&self, rooms: &[Room]) -> u64 {
        let mark = |room| self.rooms.get(room).copied().unwrap_or(self.others);
        rooms.iter().map(mark).max().unwrap_or(0)
    }

    /// Returns the shared mark of all rooms without a mark of their own.
    #[cfg(any(feature = "mongodb", feature = "sqlite"))]
    pub(crate) const fn others(&self) -> u64 {
        self.others
    }

    /// Raises the shared mark to `n`, and merges every mark up to `n` into it.
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
        assert!(trimmed.rooms.len() <= MAX_ROOMS);
        for n in [1, 100, 40_000, 70_000] {
            assert!(trimmed.highest(&[room(n)]) >= n);
        }
    }
}

//! The last entries of a stored log in memory, with the facts to answer reads about them: live
//! delivery and a resume after a short absence do not touch the database.
//!
//! The tail is bounded by count and bytes. It receives entries in the order of the commits. If an
//! entry is missing in between, because another node committed it, the tail begins again after the
//! gap; the database has the entries before.

use std::sync::Arc;

use super::{
    Entry, Head, History, Page, Retention,
    last_entries::{Bounds, LastEntries},
    trimmed::Trimmed,
};
use crate::Room;

/// Entries in the tail, at most.
pub(crate) const ENTRIES: usize = Bounds::RECENT.entries;
/// Bytes in the tail, at most.
#[cfg(feature = "mongodb")]
pub(crate) const BYTES: usize = Bounds::RECENT.bytes;

/// The last entries of a log. See the [module](self).
#[derive(Debug)]
pub(crate) struct Tail {
    entries: LastEntries,
    /// Every entry up to this number is trimmed or counts as trimmed.
    floor: u64,
    /// An entry up to this number may be damaged. Its rooms are then unknown, so all rooms count as
    /// trimmed up to here.
    lost: u64,
    /// The trim mark of each room: the number of the last trimmed entry in that room.
    marks: Trimmed,
    /// The approximate size of all stored entries of the log, in bytes.
    stored: u64,
}

impl Tail {
    /// Creates an empty tail after the last entry of a log with this head and these trim marks.
    pub(crate) fn new(head: Head, marks: Trimmed) -> Self {
        Self::bounded(head, marks, Bounds::RECENT)
    }

    fn bounded(head: Head, marks: Trimmed, bounds: Bounds) -> Self {
        Self {
            entries: LastEntries::new(head.position, bounds),
            floor: head.floor,
            lost: 0,
            marks,
            stored: 0,
        }
    }

    /// Sets `lost`: all rooms count as trimmed up to this number.
    #[cfg(feature = "sqlite")]
    pub(crate) fn lost(self, lost: u64) -> Self {
        Self { lost, ..self }
    }

    /// Sets the approximate size of the stored entries, in bytes.
    pub(crate) fn stored(self, stored: u64) -> Self {
        Self { stored, ..self }
    }

    /// Returns the end of the log and its floor.
    pub(crate) fn head(&self) -> Head {
        let position = self.entries.head();
        // An entry that was trimmed in its own commit raises the floor before it raises the head.
        Head {
            position,
            floor: self.floor.min(position.n()),
        }
    }

    /// Adds the next entries. Entries that it has had before are skipped.
    pub(crate) fn feed(&mut self, entries: &[Arc<Entry>]) {
        let known = self.entries.head().n();
        for entry in entries.iter().filter(|entry| entry.n() > known) {
            self.stored += entry.content().size() as u64;
            self.entries.push(Arc::clone(entry));
            self.drop_excess();
        }
    }

    /// Adds entries up to the head that were stored before the log was opened.
    pub(crate) fn fill(&mut self, entries: &[Arc<Entry>]) {
        for entry in entries {
            self.entries.fill(Arc::clone(entry));
            self.drop_excess();
        }
    }

    /// Drops what is beyond the bounds, and what counts as trimmed: an entry may be trimmed in its
    /// own commit.
    fn drop_excess(&mut self) {
        while self.entries.pop_excess().is_some() {}
        self.drop_trimmed();
    }

    fn drop_trimmed(&mut self) {
        while let Some(first) = self.entries.first()
            && first.n() <= self.floor
        {
            self.entries.pop_oldest();
        }
    }

    /// Returns whether the log has grown beyond a bound by more than 1 %.
    pub(crate) fn is_crowded(&self, retention: &Retention) -> bool {
        let is_beyond = |kept: u64, bound: u64| kept > bound.saturating_add(bound / 100);
        let entries = self.entries.head().n().saturating_sub(self.floor);
        is_beyond(entries, retention.entries as u64) || is_beyond(self.stored, retention.bytes)
    }

    /// Sets the size of the stored entries, in bytes.
    pub(crate) const fn set_stored(&mut self, bytes: u64) {
        self.stored = bytes;
    }

    /// Drops the entries from memory; the database has them.
    #[cfg(all(test, feature = "sqlite"))]
    pub(crate) fn clear(&mut self) {
        self.entries.clear();
    }

    /// Raises the marks and the floor because the entry is about to be trimmed.
    pub(crate) fn trim(&mut self, entry: &Entry) {
        for room in entry.content().rooms() {
            self.marks.mark(room, entry.n());
        }
        self.raise_floor(entry.n());
    }

    /// Raises the room's mark because a node has trimmed the room's entry `n`.
    #[cfg(feature = "mongodb")]
    pub(crate) fn mark(&mut self, room: &Room, n: u64) {
        self.marks.mark(room, n);
    }

    /// Raises the shared mark of all rooms without a mark of their own, because a node has merged
    /// the marks of many rooms into it.
    #[cfg(feature = "mongodb")]
    pub(crate) fn raise_others(&mut self, n: u64) {
        self.marks.raise_others(n);
    }

    /// Records that stored entries up to `n` may be damaged: all rooms count as trimmed up to `n`.
    /// Returns whether that is new.
    pub(crate) fn lose(&mut self, n: u64) -> bool {
        let is_new = n > self.lost;
        self.lost = self.lost.max(n);
        self.raise_floor(n);
        is_new
    }

    /// Raises the floor: all entries up to `n` count as trimmed.
    pub(crate) fn raise_floor(&mut self, n: u64) {
        self.floor = self.floor.max(n);
        self.drop_trimmed();
    }

    /// Returns the value of [`Page::trimmed`] for these rooms.
    pub(crate) fn trimmed(&self, rooms: Option<&[Room]>) -> u64 {
        match rooms {
            Some(rooms) => self.marks.highest(rooms).max(self.lost),
            None => self.floor,
        }
    }

    /// Returns the shared mark of all rooms without a mark of their own.
    pub(crate) const fn others(&self) -> u64 {
        self.marks.others()
    }

    /// Returns a page, if the tail has every entry after `after`.
    pub(crate) fn page(&self, rooms: Option<&[Room]>, after: u64, limit: usize) -> Option<Page> {
        if !self.entries.reaches(after) {
            return None;
        }
        let trimmed = self.trimmed(rooms);
        Some(self.entries.page(rooms, after, limit, trimmed))
    }

    /// Returns the facts for a resume after entry `n`, if the tail has that entry and every later
    /// one.
    pub(crate) fn history(&self, n: u64, rooms: &[Room], limit: usize) -> Option<History> {
        let is_stored = n > self.floor && n <= self.entries.head().n();
        // The entry is in the database and not in the tail.
        if is_stored && self.entries.entry(n).is_none() {
            return None;
        }
        if !self.entries.reaches(n) {
            return None;
        }
        let trimmed = self.trimmed(Some(rooms));
        Some(self.entries.history(n, rooms, limit, trimmed))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{EventLog as _, MemoryLog, NewEntry, Position};
    use proptest::{collection::vec, prelude::*};
    use serde_json::json;

    const KEPT: usize = 8;

    fn room(index: u8) -> Room {
        Room::User(format!("u{index}").parse().unwrap())
    }

    fn stored(appends: &[Vec<u8>]) -> Vec<Arc<Entry>> {
        let log = MemoryLog::default();
        for rooms in appends {
            let rooms: Vec<Room> = rooms.iter().copied().map(room).collect();
            log.append_now(vec![NewEntry::event(rooms, ("e", json!({}))).unwrap()]);
        }
        let reading = log.read(None, 0, appends.len() + 1);
        futures_util::FutureExt::now_or_never(reading)
            .unwrap()
            .unwrap()
            .entries
    }

    /// Returns the tail of a log that has had these entries and has trimmed those up to `trimmed`.
    /// The tail has not been given those after `gap.0` up to `gap.1`.
    fn tail(all: &[Arc<Entry>], gap: (usize, usize), trimmed: usize) -> Tail {
        let start = Position::start(all[0].position().epoch());
        let head = Head {
            position: start,
            floor: 0,
        };
        let bounds = Bounds {
            entries: KEPT,
            bytes: usize::MAX,
        };
        let mut tail = Tail::bounded(head, Trimmed::default(), bounds);
        tail.feed(&all[..gap.0]);
        for entry in &all[..trimmed] {
            tail.trim(entry);
        }
        tail.feed(&all[gap.1..]);
        tail
    }

    proptest! {
        /// The tail gives what a search of all entries of the log gives, or nothing.
        #[test]
        fn the_tail_knows_all_of_the_answer_or_none_of_it(
            appends in vec(vec(0u8..4, 1..4), 1..30),
            gap in (0usize..30, 0usize..4),
            trimmed in 0usize..30,
            wanted in vec(0u8..4, 0..3),
            after in 0u64..32,
            limit in 0usize..10,
        ) {
            let all = stored(&appends);
            let count = all.len();
            let gap_start = gap.0.min(count);
            // The last entry is always given: the tail knows the head by it.
            let gap_end = (gap_start + gap.1).min(count - 1).max(gap_start);
            let trimmed = trimmed.min(count);
            let tail = tail(&all, (gap_start, gap_end), trimmed);

            let has_gap = gap_end > gap_start;
            let after_gap = if has_gap { gap_end } else { 0 };
            let begins_after = trimmed.max(after_gap).max(count.saturating_sub(KEPT)) as u64;
            let rooms: Vec<Room> = wanted.iter().copied().map(room).collect();
            let is_wanted = |entry: &Entry| {
                let mut named = entry.content().rooms().iter();
                named.any(|room| rooms.contains(room))
            };
            let numbers = |n: u64, upto: usize| {
                let following = all[..upto].iter().filter(move |entry| entry.n() > n);
                following.filter(|entry| is_wanted(entry)).map(|entry| entry.n())
            };
            let last_trimmed = numbers(0, trimmed).next_back().unwrap_or(0);

            let page = tail.page(Some(&rooms), after, limit);
            prop_assert_eq!(page.is_some(), after >= begins_after);
            if let Some(page) = page {
                let expected: Vec<u64> = numbers(after, count).take(limit).collect();
                let found: Vec<u64> = page.entries.iter().map(|entry| entry.n()).collect();
                prop_assert_eq!(found, expected);
                prop_assert_eq!(page.trimmed, last_trimmed);
            }
            let history = tail.history(after, &rooms, limit);
            let is_known = after >= begins_after && tail.entries.entry(after).is_some();
            let is_no_entry = after <= trimmed as u64 || after > count as u64;
            prop_assert_eq!(history.is_some(), is_known || (is_no_entry && after >= begins_after));
            if let Some(history) = history {
                prop_assert_eq!(history.missed, numbers(after, count).take(limit).count());
                prop_assert_eq!(history.trimmed, last_trimmed);
                prop_assert_eq!(history.head, all[count - 1].position());
            }
        }
    }
}

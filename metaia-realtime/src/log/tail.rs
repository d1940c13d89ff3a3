//! The last entries of a stored log in memory, with the facts to answer reads about them: live
//! delivery and a resume after a short absence do not touch the database.
//!
//! The tail is bounded by count and bytes. It receives entries in the order of the commits. If an
//! entry is missing in between, because another node committed it, the tail begins again after the
//! gap; the database has the entries before.

use std::{
    collections::{HashSet, VecDeque},
    sync::Arc,
};

use super::{Entry, Head, History, Page, Retention, trimmed::Trimmed};
use crate::{Position, Room};

/// Entries in the tail, at most.
pub(crate) const ENTRIES: usize = 4_096;
/// Bytes in the tail, at most, as [`crate::NewEntry::size`] counts them.
pub(crate) const BYTES: usize = 8 * 1024 * 1024;

/// The last entries of a log. See the [module](self).
#[derive(Debug)]
pub(crate) struct Tail {
    /// The last entries, in order and without holes.
    entries: VecDeque<Arc<Entry>>,
    /// The size of `entries`, in bytes.
    bytes: usize,
    /// The position of the log's last entry, whether or not the entry is in `entries`.
    head: Position,
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
        let Head { position, floor } = head;
        Self {
            entries: VecDeque::new(),
            bytes: 0,
            head: position,
            floor,
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
        // An entry that was trimmed in its own commit raises the floor before it raises the head.
        Head {
            position: self.head,
            floor: self.floor.min(self.head.n()),
        }
    }

    /// Adds the next entries. Entries that it has had before are skipped.
    pub(crate) fn feed(&mut self, entries: &[Arc<Entry>]) {
        let known = self.head.n();
        for entry in entries.iter().filter(|entry| entry.n() > known) {
            // After a gap the tail begins again.
            if entry.n() != self.head.n() + 1 {
                self.clear();
            }
            self.head = entry.position();
            self.stored += entry.content().size() as u64;
            self.push(entry);
        }
    }

    /// Adds entries up to the head that were stored before the log was opened.
    pub(crate) fn fill(&mut self, entries: &[Arc<Entry>]) {
        for entry in entries {
            self.push(entry);
        }
    }

    fn push(&mut self, entry: &Arc<Entry>) {
        // The entry was trimmed in its own commit.
        if entry.n() <= self.floor {
            return;
        }
        self.bytes += entry.content().size();
        self.entries.push_back(Arc::clone(entry));
        while self.entries.len() > ENTRIES || self.bytes > BYTES {
            self.pop();
        }
    }

    fn pop(&mut self) {
        if let Some(oldest) = self.entries.pop_front() {
            self.bytes -= oldest.content().size();
        }
    }

    /// Returns whether the log has grown beyond a bound by more than 1 %.
    pub(crate) fn is_crowded(&self, retention: &Retention) -> bool {
        let is_beyond = |kept: u64, bound: u64| kept > bound.saturating_add(bound / 100);
        let entries = self.head.n().saturating_sub(self.floor);
        is_beyond(entries, retention.entries as u64) || is_beyond(self.stored, retention.bytes)
    }

    /// Sets the size of the stored entries, in bytes.
    pub(crate) const fn set_stored(&mut self, bytes: u64) {
        self.stored = bytes;
    }

    pub(crate) fn clear(&mut self) {
        self.entries.clear();
        self.bytes = 0;
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
        while let Some(first) = self.entries.front()
            && first.n() <= self.floor
        {
            self.pop();
        }
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
        let following = self.after(after, rooms)?;
        let entries: Vec<_> = following.take(limit).cloned().collect();
        let last = entries.last().map_or(after, |entry| entry.n());
        let scanned = if entries.len() == limit {
            last
        } else {
            after.max(self.head.n())
        };
        Some(Page {
            epoch: self.head.epoch(),
            entries,
            scanned,
            trimmed: self.trimmed(rooms),
        })
    }

    /// Returns the facts for a resume after entry `n`, if the tail has that entry and every later
    /// one.
    pub(crate) fn history(&self, n: u64, rooms: &[Room], limit: usize) -> Option<History> {
        let following = self.after(n, Some(rooms))?;
        let index = self.entries.partition_point(|entry| entry.n() < n);
        let entry = self.entries.get(index).filter(|entry| entry.n() == n);
        // The entry is in the database and not in the tail.
        if entry.is_none() && n > self.floor && n <= self.head.n() {
            return None;
        }
        Some(History {
            head: self.head,
            entry: entry.map(|entry| entry.content().id()),
            trimmed: self.trimmed(Some(rooms)),
            missed: following.take(limit).count(),
        })
    }

    /// Returns the entries after `n` in any of the rooms, if the tail has every entry after `n`.
    fn after<'a>(
        &'a self,
        n: u64,
        rooms: Option<&'a [Room]>,
    ) -> Option<impl Iterator<Item = &'a Arc<Entry>>> {
        let before = match self.entries.front() {
            Some(first) => first.n() - 1,
            None => self.head.n(),
        };
        if n < before {
            return None;
        }
        let wanted: Option<HashSet<&Room>> = rooms.map(|rooms| rooms.iter().collect());
        let is_wanted = move |entry: &&Arc<Entry>| match &wanted {
            Some(wanted) => {
                let mut rooms = entry.content().rooms().iter();
                rooms.any(|room| wanted.contains(room))
            }
            None => true,
        };
        let from = self.entries.partition_point(|entry| entry.n() <= n);
        Some(self.entries.range(from..).filter(is_wanted))
    }
}

//! The last entries of a log in memory, found by number and by room. A pure kernel.
//!
//! Three owners keep such entries, and add to them what only they need: the log in memory
//! ([`MemoryLog`](super::MemoryLog)), the tail of a stored log (`tail.rs`), and the window of a
//! node ([`Recent`](super::Recent)). The entries are bounded by count and bytes. The owner takes
//! out what is beyond the bounds, since it has to note what is gone.

mod numbers;

use std::{collections::VecDeque, sync::Arc};

use foldhash::HashMap;

use super::{Entry, History, Page};
use crate::{Position, Room};
use numbers::Numbers;

/// The most that is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Bounds {
    pub(crate) entries: usize,
    /// As [`NewEntry::size`](crate::NewEntry::size) counts them.
    pub(crate) bytes: usize,
}

impl Bounds {
    /// The bounds of a node's window, and of the tail of a stored log: 4,096 entries, 8 MiB.
    pub(crate) const RECENT: Self = Self {
        entries: 4_096,
        bytes: 8 * 1024 * 1024,
    };
}

/// The last entries of a log, in order and without holes.
#[derive(Debug)]
pub(crate) struct LastEntries {
    entries: VecDeque<Arc<Entry>>,
    /// The numbers of each room's entries, rising.
    rooms: HashMap<Room, Numbers>,
    /// The position of the log's last entry, whether or not the entry is here.
    head: Position,
    bytes: usize,
    bounds: Bounds,
}

impl LastEntries {
    /// Returns no entries, of a log that ends at `head`.
    pub(crate) fn new(head: Position, bounds: Bounds) -> Self {
        Self {
            entries: VecDeque::new(),
            rooms: HashMap::default(),
            head,
            bytes: 0,
            bounds,
        }
    }

    /// Returns the position of the log's last entry, whether or not the entry is here.
    pub(crate) const fn head(&self) -> Position {
        self.head
    }

    pub(crate) const fn bounds(&self) -> Bounds {
        self.bounds
    }

    pub(crate) fn len(&self) -> usize {
        self.entries.len()
    }

    pub(crate) fn first(&self) -> Option<&Arc<Entry>> {
        self.entries.front()
    }

    pub(crate) fn last(&self) -> Option<&Arc<Entry>> {
        self.entries.back()
    }

    /// Returns all entries, in order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &Arc<Entry>> {
        self.entries.iter()
    }

    /// Returns the number after which every entry up to the head is here.
    pub(crate) fn begins_after(&self) -> u64 {
        self.first().map_or(self.head.n(), |first| first.n() - 1)
    }

    /// Returns whether every entry after `n` up to the head is here.
    pub(crate) fn reaches(&self, n: u64) -> bool {
        n >= self.begins_after()
    }

    /// Returns entry `n`, if it is here.
    pub(crate) fn entry(&self, n: u64) -> Option<&Arc<Entry>> {
        let first = self.first()?.n();
        let index = n.checked_sub(first)?;
        self.entries.get(usize::try_from(index).ok()?)
    }
}

/// Reads.
impl LastEntries {
    /// Returns the entries after `n`, in order.
    pub(crate) fn after(&self, n: u64) -> impl Iterator<Item = &Arc<Entry>> {
        // By index: a binary search would read entries all over the memory, at each dispatch.
        let skipped = n.saturating_sub(self.begins_after());
        let from = usize::try_from(skipped).unwrap_or(usize::MAX);
        self.entries.range(from.min(self.entries.len())..)
    }

    /// Returns the first `limit` entries after `n` in any of `rooms`, in order and once each.
    pub(crate) fn in_rooms<'a>(
        &self,
        rooms: impl Iterator<Item = &'a Room>,
        n: u64,
        limit: usize,
    ) -> impl Iterator<Item = &Arc<Entry>> {
        let numbers = self.numbers(rooms, n, limit).into_iter();
        numbers.filter_map(|n| self.entry(n))
    }

    /// Returns the numbers of the first `limit` entries after `n` in any of `rooms`, in order and
    /// once each.
    fn numbers<'a>(&self, rooms: impl Iterator<Item = &'a Room>, n: u64, limit: usize) -> Vec<u64> {
        let mut numbers = Vec::new();
        for of_room in rooms.filter_map(|room| self.rooms.get(room)) {
            of_room.find_after(n, limit, &mut numbers);
        }
        numbers.sort_unstable();
        numbers.dedup();
        numbers.truncate(limit);
        numbers
    }

    /// Returns how many entries follow `n` in any of `rooms`, counted up to `limit`.
    pub(crate) fn count_in_rooms<'a>(
        &self,
        rooms: impl Iterator<Item = &'a Room>,
        n: u64,
        limit: usize,
    ) -> usize {
        self.numbers(rooms, n, limit).len()
    }

    /// Returns the page of a log whose entries after `after` are here, or are trimmed as
    /// `trimmed` says: see [`Page::trimmed`].
    pub(crate) fn page(
        &self,
        rooms: Option<&[Room]>,
        after: u64,
        limit: usize,
        trimmed: u64,
    ) -> Page {
        let entries: Vec<_> = match rooms {
            None => self.after(after).take(limit).cloned().collect(),
            Some(rooms) => self.in_rooms(rooms.iter(), after, limit).cloned().collect(),
        };
        // A page with fewer entries than the limit has searched everything. With a limit of 0, no
        // entry fills the page, and it has searched nothing.
        let scanned = if entries.len() == limit {
            entries.last().map_or(after, |last| last.n())
        } else {
            after.max(self.head.n())
        };
        Page {
            epoch: self.head.epoch(),
            entries,
            scanned,
            trimmed,
        }
    }

    /// Returns the facts for a resume after entry `n`, of a log as in [`page`](Self::page).
    pub(crate) fn history(&self, n: u64, rooms: &[Room], limit: usize, trimmed: u64) -> History {
        History {
            head: self.head,
            entry: self.entry(n).map(|entry| entry.content().id()),
            trimmed,
            missed: self.count_in_rooms(rooms.iter(), n, limit),
        }
    }
}

/// Changes.
impl LastEntries {
    /// Adds an entry that was appended to the log: it is the head from here on. If entries are
    /// missing between it and the former head, those that are here are removed.
    pub(crate) fn push(&mut self, entry: Arc<Entry>) {
        if entry.n() != self.head.n() + 1 {
            self.clear();
        }
        self.head = entry.position();
        self.fill(entry);
    }

    /// Adds the next of the entries up to the head, which the log had before.
    pub(crate) fn fill(&mut self, entry: Arc<Entry>) {
        self.bytes += entry.content().size();
        for room in entry.content().rooms() {
            self.add_to_room(room, entry.n());
        }
        self.entries.push_back(entry);
    }

    fn add_to_room(&mut self, room: &Room, n: u64) {
        match self.rooms.get_mut(room) {
            // An embedder's log may have read back an entry that names a room twice.
            Some(numbers) => numbers.push(n),
            None => drop(self.rooms.insert(room.clone(), Numbers::One(n))),
        }
    }

    /// Returns whether there is more than the bounds allow.
    pub(crate) fn is_beyond_bounds(&self) -> bool {
        self.entries.len() > self.bounds.entries || self.bytes > self.bounds.bytes
    }

    /// Removes the oldest entry, if there is more than the bounds allow.
    pub(crate) fn pop_excess(&mut self) -> Option<Arc<Entry>> {
        if self.is_beyond_bounds() {
            self.pop_oldest()
        } else {
            None
        }
    }

    /// Removes the oldest entry.
    pub(crate) fn pop_oldest(&mut self) -> Option<Arc<Entry>> {
        let oldest = self.entries.pop_front()?;
        self.bytes -= oldest.content().size();
        for room in oldest.content().rooms() {
            let numbers = self.rooms.get_mut(room);
            if numbers.is_some_and(|numbers| numbers.remove_first(oldest.n())) {
                self.rooms.remove(room);
            }
        }
        Some(oldest)
    }

    /// Removes all entries. The head stays.
    pub(crate) fn clear(&mut self) {
        self.entries.clear();
        self.rooms.clear();
        self.bytes = 0;
    }
}

#[cfg(test)]
mod tests;

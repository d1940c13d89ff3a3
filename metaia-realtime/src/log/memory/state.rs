//! The entries of a log in memory, with their indexes.

use std::{
    collections::{BTreeSet, HashMap, VecDeque},
    sync::Arc,
};

use crate::{
    Position, Room,
    log::{Entry, Head, History, NewEntry, Page, Retention, trimmed::Trimmed},
    values::{Epoch, EventId},
};

#[derive(Debug)]
pub(super) struct MemoryLogState {
    epoch: Epoch,
    retention: Retention,
    entries: VecDeque<Arc<Entry>>,
    bytes: u64,
    head: Position,
    /// The number of each entry, by its event id.
    ids: HashMap<EventId, u64>,
    /// The numbers of each room's entries, rising.
    rooms: HashMap<Room, VecDeque<u64>>,
    trimmed: Trimmed,
}

impl MemoryLogState {
    pub(super) fn new(retention: Retention) -> Self {
        let epoch = Epoch::random();
        Self {
            epoch,
            retention,
            entries: VecDeque::new(),
            bytes: 0,
            head: Position::start(epoch),
            ids: HashMap::new(),
            rooms: HashMap::new(),
            trimmed: Trimmed::default(),
        }
    }

    pub(super) fn head(&self) -> Head {
        Head {
            position: self.head,
            floor: self.floor(),
        }
    }

    pub(super) fn history(&self, n: u64, rooms: &[Room], limit: usize) -> History {
        History {
            head: self.head,
            entry: self.entry(n).map(|entry| entry.content().id()),
            trimmed: self.trimmed.highest(rooms),
            missed: self.numbers(rooms, n, limit).len(),
        }
    }

    /// Appends an entry with `now` as its time, unless its id is there already. Returns its
    /// position.
    pub(super) fn push(&mut self, new: NewEntry, now: i64) -> Position {
        if let Some(known) = self.ids.get(&new.id).and_then(|n| self.entry(*n)) {
            return known.position();
        }
        let entry = Entry::new(self.epoch, self.head.n() + 1, now, new);
        self.head = entry.position();
        self.bytes += entry.content().size() as u64;
        self.ids.insert(entry.content().id(), entry.n());
        for room in entry.content().rooms() {
            let index = self.rooms.entry(room.clone()).or_default();
            // An entry that a store read back may name a room twice.
            if index.back() != Some(&entry.n()) {
                index.push_back(entry.n());
            }
        }
        self.entries.push_back(Arc::new(entry));
        self.head
    }

    /// Removes the oldest entries that are beyond a bound, but never the last entry.
    pub(super) fn trim(&mut self, now: i64) {
        while self.entries.len() > 1 && self.is_beyond_bounds(now) {
            if let Some(oldest) = self.entries.pop_front() {
                self.forget(&oldest);
            }
        }
    }

    fn is_beyond_bounds(&self, now: i64) -> bool {
        let age = i64::try_from(self.retention.age.as_millis()).unwrap_or(i64::MAX);
        let too_old = |oldest: &Arc<Entry>| oldest.ts() <= now.saturating_sub(age);
        self.entries.len() > self.retention.entries
            || self.bytes > self.retention.bytes
            || self.entries.front().is_some_and(too_old)
    }

    fn forget(&mut self, oldest: &Entry) {
        self.bytes -= oldest.content().size() as u64;
        self.ids.remove(&oldest.content().id());
        for room in oldest.content().rooms() {
            self.trimmed.mark(room, oldest.n());
            if let Some(index) = self.rooms.get_mut(room) {
                index.pop_front_if(|n| *n == oldest.n());
                if index.is_empty() {
                    self.rooms.remove(room);
                }
            }
        }
    }

    /// Returns the number before the first entry that is here.
    fn floor(&self) -> u64 {
        self.entries
            .front()
            .map_or(self.head.n(), |oldest| oldest.n() - 1)
    }

    fn entry(&self, n: u64) -> Option<&Arc<Entry>> {
        let index = n.checked_sub(self.floor() + 1)?;
        self.entries.get(usize::try_from(index).ok()?)
    }

    pub(super) fn read(&self, rooms: Option<&[Room]>, after: u64, limit: usize) -> Page {
        let numbers: Vec<u64> = match rooms {
            None => {
                let first = after.max(self.floor()).saturating_add(1);
                (first..=self.head.n()).take(limit).collect()
            }
            Some(rooms) => self.numbers(rooms, after, limit),
        };
        let trimmed = match rooms {
            None => self.floor(),
            Some(rooms) => self.trimmed.highest(rooms),
        };
        let is_full = numbers.len() == limit;
        // With a limit of 0 the page is full without an entry: it has searched nothing.
        let scanned = if is_full {
            numbers.last().copied().unwrap_or(after)
        } else {
            after.max(self.head.n())
        };
        let entries = numbers
            .into_iter()
            .filter_map(|n| self.entry(n).cloned())
            .collect();
        Page {
            epoch: self.epoch,
            entries,
            scanned,
            trimmed,
        }
    }

    /// Returns the numbers of up to `limit` entries after `after` in any of the rooms, in order.
    fn numbers(&self, rooms: &[Room], after: u64, limit: usize) -> Vec<u64> {
        let mut found = BTreeSet::new();
        for index in rooms.iter().filter_map(|room| self.rooms.get(room)) {
            let from = index.partition_point(|n| *n <= after);
            found.extend(index.range(from..).take(limit));
        }
        found.into_iter().take(limit).collect()
    }
}

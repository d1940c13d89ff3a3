//! The entries of a log in memory, with what trimming has to know.

use std::sync::Arc;

use foldhash::HashMap;

use crate::{
    Position, Room,
    log::{
        Entry, Head, History, NewEntry, Page, Retention,
        last_entries::{Bounds, LastEntries},
        trimmed::Trimmed,
    },
    values::{Epoch, EventId, Moment},
};

#[derive(Debug)]
pub(super) struct MemoryLogState {
    retention: Retention,
    entries: LastEntries,
    /// The number of each entry, by its event id.
    ids: HashMap<EventId, u64>,
    trimmed: Trimmed,
}

impl MemoryLogState {
    pub(super) fn new(retention: Retention) -> Self {
        let bounds = Bounds {
            entries: retention.entries,
            bytes: usize::try_from(retention.bytes).unwrap_or(usize::MAX),
        };
        Self {
            retention,
            entries: LastEntries::new(Position::start(Epoch::random()), bounds),
            ids: HashMap::default(),
            trimmed: Trimmed::default(),
        }
    }

    pub(super) fn head(&self) -> Head {
        Head {
            position: self.entries.head(),
            floor: self.entries.begins_after(),
        }
    }

    pub(super) fn history(&self, n: u64, rooms: &[Room], limit: usize) -> History {
        let trimmed = self.trimmed.highest(rooms);
        self.entries.history(n, rooms, limit, trimmed)
    }

    pub(super) fn read(&self, rooms: Option<&[Room]>, after: u64, limit: usize) -> Page {
        let trimmed = match rooms {
            None => self.entries.begins_after(),
            Some(rooms) => self.trimmed.highest(rooms),
        };
        self.entries.page(rooms, after, limit, trimmed)
    }

    /// Appends an entry with `now` as its time, unless its id is there already. Returns its
    /// position.
    pub(super) fn push(&mut self, new: NewEntry, now: i64) -> Position {
        let known = self.ids.get(&new.id());
        if let Some(known) = known.and_then(|n| self.entries.entry(*n)) {
            return known.position();
        }
        let head = self.entries.head();
        let entry = Entry::new(head.epoch(), head.n() + 1, now, new);
        entry.record_commit(Moment::now());
        self.ids.insert(entry.content().id(), entry.n());
        self.entries.push(Arc::new(entry));
        self.entries.head()
    }

    /// Removes the oldest entries that are beyond a bound, but never the last entry.
    pub(super) fn trim(&mut self, now: i64) {
        while self.entries.len() > 1 && self.is_beyond_retention(now) {
            if let Some(oldest) = self.entries.pop_oldest() {
                self.forget(&oldest);
            }
        }
    }

    fn is_beyond_retention(&self, now: i64) -> bool {
        let age = i64::try_from(self.retention.age.as_millis()).unwrap_or(i64::MAX);
        let too_old = |oldest: &Arc<Entry>| oldest.ts() <= now.saturating_sub(age);
        self.entries.is_beyond_bounds() || self.entries.first().is_some_and(too_old)
    }

    fn forget(&mut self, oldest: &Entry) {
        self.ids.remove(&oldest.content().id());
        for room in oldest.content().rooms() {
            self.trimmed.mark(room, oldest.n());
        }
    }
}

//! The stored state of the naive log.

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

use crate::{
    NewEntry, Position,
    log::Entry,
    values::{Epoch, EventId},
};

/// The state that remains when the log is closed.
#[derive(Debug)]
pub(super) struct Disk {
    pub(super) epoch: Epoch,
    pub(super) entries: BTreeMap<u64, Arc<Entry>>,
    pub(super) ids: HashMap<EventId, u64>,
    /// Trimmed entries, for the trimmed marks.
    pub(super) gone: Vec<Arc<Entry>>,
    pub(super) last: Position,
    /// The last number that was given to an append.
    reserved: u64,
    /// The last entry that readers may see.
    pub(super) shown: Position,
    /// Appends that have begun and not ended.
    pub(super) appending: usize,
    /// The offset of the log's clock, in ms.
    pub(super) ahead: i64,
}

impl Disk {
    pub(super) fn new() -> Self {
        let epoch = Epoch::random();
        Self {
            epoch,
            entries: BTreeMap::new(),
            ids: HashMap::new(),
            gone: Vec::new(),
            last: Position::start(epoch),
            reserved: 0,
            shown: Position::start(epoch),
            appending: 0,
            ahead: 0,
        }
    }

    /// Starts an empty log of this epoch.
    pub(super) fn start(&mut self, epoch: Epoch) {
        self.epoch = epoch;
        self.empty();
    }

    /// Empties the log, and keeps its epoch.
    pub(super) fn empty(&mut self) {
        let start = Position::start(self.epoch);
        *self = Self {
            epoch: self.epoch,
            last: start,
            shown: start,
            ..Self::new()
        };
    }

    pub(super) fn lose_last(&mut self) {
        let lost = self.entries.pop_last();
        let last = self.entries.last_key_value();
        self.last = last.map_or(Position::start(self.epoch), |(_, entry)| entry.position());
        self.reserved = self.last.n();
        self.shown = self.last;
        if let Some((_, entry)) = lost {
            self.ids.remove(&entry.content().id());
        }
    }

    pub(super) fn insert(&mut self, n: u64, new: NewEntry, ts: i64) -> Position {
        let entry = Entry::new(self.epoch, n, ts, new);
        let position = entry.position();
        self.ids.insert(entry.content().id(), n);
        self.entries.insert(n, Arc::new(entry));
        if n > self.last.n() {
            self.last = position;
        }
        position
    }

    pub(super) fn known(&self, id: EventId) -> Option<Position> {
        let n = self.ids.get(&id)?;
        self.entries.get(n).map(|entry| entry.position())
    }

    pub(super) fn reserve(&mut self) -> u64 {
        self.reserved += 1;
        self.reserved
    }

    pub(super) fn forget_marks(&mut self) {
        self.gone.clear();
    }
}

//! The log's last entries in memory, and what is needed to answer for them: so that what happens
//! now, and whoever was away for a short time, does not touch the database.
//!
//! Bounded by count and bytes. It is fed in the order of the commits; where something is missing in
//! between, because somebody else committed it, it begins anew after the gap, and the database has
//! what is before.

use std::{
    collections::{HashSet, VecDeque},
    sync::Arc,
};

use super::{Entry, Head, History, Page, Retention, trimmed::Trimmed};
use crate::{Position, Room};

/// Most entries.
pub(crate) const ENTRIES: usize = 4_096;
/// Most bytes, as [`crate::NewEntry::size`] counts them.
pub(crate) const BYTES: usize = 8 * 1024 * 1024;

/// See the [module](self).
#[derive(Debug)]
pub(crate) struct Tail {
    entries: VecDeque<Arc<Entry>>,
    bytes: usize,
    head: Position,
    floor: u64,
    lost: u64,
    marks: Trimmed,
    /// About how many bytes the database has.
    stored: u64,
}

impl Tail {
    /// An empty one, after the last entry of a log that begins and ends so.
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

    /// The same log, up to where nothing stored can be vouched for.
    #[cfg(feature = "sqlite")]
    pub(crate) fn lost(self, lost: u64) -> Self {
        Self { lost, ..self }
    }

    /// The same log, of which the database has about so many bytes.
    pub(crate) fn stored(self, stored: u64) -> Self {
        Self { stored, ..self }
    }

    /// What was trimmed in the commit that it came with has a floor before it has a head.
    pub(crate) fn head(&self) -> Head {
        Head {
            position: self.head,
            floor: self.floor.min(self.head.n()),
        }
    }

    /// Takes the next entries. Those it has had are passed over.
    pub(crate) fn feed(&mut self, entries: &[Arc<Entry>]) {
        let known = self.head.n();
        for entry in entries.iter().filter(|entry| entry.n() > known) {
            if entry.n() != self.head.n() + 1 {
                self.clear();
            }
            self.head = entry.position();
            self.stored += entry.content().size() as u64;
            self.push(entry);
        }
    }

    /// Puts entries before the first: those that were there when the log was opened.
    pub(crate) fn fill(&mut self, entries: &[Arc<Entry>]) {
        entries.iter().for_each(|entry| self.push(entry));
    }

    fn push(&mut self, entry: &Arc<Entry>) {
        // It was trimmed in the very commit that it came with.
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

    /// Whether the log has grown beyond a bound by more than one part in a hundred.
    pub(crate) fn is_crowded(&self, retention: &Retention) -> bool {
        let beyond = |kept: u64, bound: u64| kept > bound.saturating_add(bound / 100);
        beyond(
            self.head.n().saturating_sub(self.floor),
            retention.entries as u64,
        ) || beyond(self.stored, retention.bytes)
    }

    /// How many bytes the database has.
    pub(crate) const fn set_stored(&mut self, bytes: u64) {
        self.stored = bytes;
    }

    pub(crate) fn clear(&mut self) {
        self.entries.clear();
        self.bytes = 0;
    }

    /// The entry is about to be trimmed.
    pub(crate) fn trim(&mut self, entry: &Entry) {
        for room in entry.content().rooms() {
            self.marks.mark(room, entry.n());
        }
        self.raise_floor(entry.n());
    }

    /// Somebody has trimmed an entry of the room.
    #[cfg(feature = "mongodb")]
    pub(crate) fn mark(&mut self, room: &Room, n: u64) {
        self.marks.mark(room, n);
    }

    /// Somebody has put one mark in the place of many.
    #[cfg(feature = "mongodb")]
    pub(crate) fn raise_others(&mut self, n: u64) {
        self.marks.raise_others(n);
    }

    /// What was stored up to `n` cannot be vouched for. Answers whether that is news.
    pub(crate) fn lose(&mut self, n: u64) -> bool {
        let news = n > self.lost;
        self.lost = self.lost.max(n);
        self.raise_floor(n);
        news
    }

    /// Everything up to `n` counts as trimmed.
    pub(crate) fn raise_floor(&mut self, n: u64) {
        self.floor = self.floor.max(n);
        while self
            .entries
            .front()
            .is_some_and(|first| first.n() <= self.floor)
        {
            self.pop();
        }
    }

    /// As [`Page::trimmed`].
    pub(crate) fn trimmed(&self, rooms: Option<&[Room]>) -> u64 {
        rooms.map_or(self.floor, |rooms| self.marks.highest(rooms).max(self.lost))
    }

    /// The mark of all rooms without one of their own.
    pub(crate) const fn others(&self) -> u64 {
        self.marks.others()
    }

    /// A page, where all that follows `after` is here.
    pub(crate) fn page(&self, rooms: Option<&[Room]>, after: u64, limit: usize) -> Option<Page> {
        let entries: Vec<_> = self
            .after(after, rooms)?
            .take(limit)
            .map(Arc::clone)
            .collect();
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

    /// What a resume is judged by, where entry `n` and all that follows it is here.
    pub(crate) fn history(&self, n: u64, rooms: &[Room], limit: usize) -> Option<History> {
        let following = self.after(n, Some(rooms))?;
        let entry = self
            .entries
            .get(self.entries.partition_point(|entry| entry.n() < n));
        let entry = entry.filter(|entry| entry.n() == n);
        // It is in the database, and only there.
        if entry.is_none() && n > self.floor && n <= self.head.n() {
            return None;
        }
        let (entry, missed) = (
            entry.map(|entry| entry.content().id()),
            following.take(limit).count(),
        );
        Some(History {
            head: self.head,
            entry,
            trimmed: self.trimmed(Some(rooms)),
            missed,
        })
    }

    fn after<'a>(
        &'a self,
        n: u64,
        rooms: Option<&'a [Room]>,
    ) -> Option<impl Iterator<Item = &'a Arc<Entry>>> {
        let before = self
            .entries
            .front()
            .map_or(self.head.n(), |first| first.n() - 1);
        if n < before {
            return None;
        }
        let rooms: Option<HashSet<&Room>> = rooms.map(|rooms| rooms.iter().collect());
        let wanted = move |entry: &&Arc<Entry>| {
            rooms.as_ref().is_none_or(|wanted| {
                entry
                    .content()
                    .rooms()
                    .iter()
                    .any(|room| wanted.contains(room))
            })
        };
        let from = self.entries.partition_point(|entry| entry.n() <= n);
        Some(self.entries.range(from..).filter(wanted))
    }
}

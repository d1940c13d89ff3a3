//! The entries of a node's window, and what it knows about clients' positions. A pure kernel.

use std::sync::Arc;

use super::{
    Entry,
    last_entries::{Bounds, LastEntries},
    resume::ResumeFacts,
};
use crate::{Position, Room};

/// The last entries of a log that a node has dispatched, without holes.
#[derive(Debug)]
pub(crate) struct Recent {
    entries: LastEntries,
    /// The position before the first entry, if it is known.
    before: Option<Position>,
    dispatched: Position,
}

impl Recent {
    /// Creates an empty window after `head`.
    pub(crate) fn new(head: Position, bounds: Bounds) -> Self {
        Self {
            entries: LastEntries::new(head, bounds),
            before: Some(head),
            dispatched: head,
        }
    }

    /// Adds entries up to the head that were dispatched before this window existed, in one or
    /// several calls. Returns false at the first hole between them.
    pub(crate) fn fill<'a>(&mut self, entries: impl Iterator<Item = &'a Arc<Entry>>) -> bool {
        for entry in entries {
            match self.entries.last() {
                Some(last) if last.n() + 1 != entry.n() => return false,
                Some(_) => {}
                None => self.before = self.start_if_first(entry),
            }
            self.entries.fill(Arc::clone(entry));
            self.drop_excess();
        }
        true
    }

    /// Returns the position before `entry` if that is the start of the log. For any other entry it
    /// is unknown: it needs the id of the previous entry, which the window lacks.
    fn start_if_first(&self, entry: &Entry) -> Option<Position> {
        if entry.n() == 1 {
            Some(Position::start(self.head().epoch()))
        } else {
            None
        }
    }

    /// Returns whether the entries reach up to the head.
    pub(crate) fn is_full(&self) -> bool {
        match self.entries.last() {
            Some(last) => last.position() == self.head(),
            None => self.head().n() == 0,
        }
    }

    pub(crate) fn head(&self) -> Position {
        self.entries.head()
    }

    pub(crate) fn dispatched(&self) -> Position {
        self.dispatched
    }

    pub(crate) fn set_dispatched(&mut self, position: Position) {
        self.dispatched = position;
    }

    pub(crate) const fn bounds(&self) -> Bounds {
        self.entries.bounds()
    }

    pub(crate) fn begin_again(&mut self, head: Position) {
        *self = Self::new(head, self.bounds());
    }

    /// Returns all entries of the window, in order.
    pub(crate) fn entries(&self) -> impl Iterator<Item = &Arc<Entry>> {
        self.entries.iter()
    }

    /// Returns a position after which the window has every entry.
    pub(crate) fn begins_after(&self) -> Position {
        let first = self.entries.first().map(|first| first.position());
        self.before.or(first).unwrap_or(self.head())
    }

    /// Returns whether the window has every entry after `n` up to the head.
    pub(crate) fn reaches(&self, n: u64) -> bool {
        self.entries.reaches(n)
    }

    /// Returns the entries after `n` in any of `rooms`, in order and once each.
    pub(crate) fn after<'a>(
        &self,
        n: u64,
        rooms: impl Iterator<Item = &'a Room>,
    ) -> impl Iterator<Item = &Arc<Entry>> {
        self.entries.in_rooms(rooms, n, usize::MAX)
    }

    /// Returns the facts that decide whether a client in `rooms` can resume after `position`, with
    /// the missed entries counted up to `limit`. Returns `None` if the window does not know them:
    /// the log does. Call it when the window has reached the end of the log.
    ///
    /// It does not know a position beyond its end: what it was filled from may have been read from
    /// a server that was behind.
    pub(crate) fn facts<'a>(
        &self,
        position: Position,
        rooms: impl Iterator<Item = &'a Room>,
        limit: usize,
    ) -> Option<ResumeFacts> {
        let head = self.head();
        let n = position.n();
        // The log has no such position, and nothing that follows it.
        if position.epoch() != head.epoch() {
            return Some(ResumeFacts {
                head,
                actual: None,
                trimmed: 0,
                missed: 0,
            });
        }
        Some(ResumeFacts {
            head,
            actual: Some(self.position_at(n)?),
            // The window has no holes: it has everything that follows a position that it knows.
            trimmed: 0,
            missed: self.entries.count_in_rooms(rooms, n, limit),
        })
    }

    /// Returns the position after entry `n`, if the window has every entry after it.
    fn position_at(&self, n: u64) -> Option<Position> {
        match self.before {
            Some(before) if before.n() == n => Some(before),
            _ => Some(self.entries.entry(n)?.position()),
        }
    }

    /// Adds a dispatched entry. After a hole, the window begins again with this entry.
    pub(crate) fn push(&mut self, entry: &Arc<Entry>) {
        if entry.n() != self.head().n() + 1 {
            self.before = None;
        }
        self.entries.push(Arc::clone(entry));
        self.drop_excess();
    }

    fn drop_excess(&mut self) {
        while let Some(dropped) = self.entries.pop_excess() {
            self.before = Some(dropped.position());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        EventLog as _, MemoryLog, NewEntry,
        log::{ResetReason, Resumable, judge},
        values::Epoch,
    };
    use proptest::{collection::vec, prelude::*};
    use serde_json::json;

    fn now<T, E: std::fmt::Debug>(future: impl Future<Output = Result<T, E>>) -> T {
        futures_util::FutureExt::now_or_never(future)
            .unwrap()
            .unwrap()
    }

    fn room(index: u8) -> Room {
        Room::User(format!("u{index}").parse().unwrap())
    }

    const fn up_to(entries: usize) -> Bounds {
        Bounds {
            entries,
            bytes: usize::MAX,
        }
    }

    /// Decides by the window alone; `None` if it does not know.
    fn judge_by_window(
        recent: &Recent,
        position: Position,
        rooms: &[Room],
        limit: usize,
    ) -> Option<Result<Resumable, ResetReason>> {
        let facts = recent.facts(position, rooms.iter(), limit + 1)?;
        Some(judge(position, facts, limit))
    }

    /// Returns the numbers of the entries in `wanted` after `n`, by searching all of them.
    fn naive(appends: &[Vec<u8>], wanted: &[u8], n: u64) -> Vec<u64> {
        let mut numbers = Vec::new();
        for (number, rooms) in (1..).zip(appends) {
            if number > n && rooms.iter().any(|room| wanted.contains(room)) {
                numbers.push(number);
            }
        }
        numbers
    }

    /// Returns a window that has the entries up to `preloaded` from its start, and was pushed the
    /// others.
    fn window(start: Position, all: &[Arc<Entry>], preloaded: usize, bounds: Bounds) -> Recent {
        let (before, pushed) = all.split_at(preloaded);
        let head = before.last().map_or(start, |entry| entry.position());
        let mut recent = Recent::new(head, bounds);
        assert!(recent.fill(before.iter()) && recent.is_full());
        for entry in pushed {
            recent.push(entry);
        }
        recent
    }

    proptest! {
        #[test]
        fn the_window_agrees_with_the_log(
            appends in vec(vec(0u8..4, 1..4), 0..40),
            wanted in vec(0u8..4, 0..4),
            preloaded in 0usize..40,
            keep in 1usize..20,
            n in 0u64..45,
            limit in 0usize..30,
            is_same_epoch in prop::bool::weighted(0.9),
            is_same_entry in prop::bool::weighted(0.9),
        ) {
            let log = MemoryLog::default();
            for rooms in &appends {
                let rooms: Vec<Room> = rooms.iter().copied().map(room).collect();
                log.append_now(vec![NewEntry::event(rooms, ("e", json!({}))).unwrap()]);
            }
            let all = now(log.read(None, 0, 100)).entries;
            let preloaded = preloaded.min(all.len());
            let start = Position::start(now(log.head()).position.epoch());
            let recent = window(start, &all, preloaded, up_to(keep));

            let rooms: Vec<Room> = wanted.iter().copied().map(room).collect();
            let got: Vec<u64> = recent.after(n, rooms.iter()).map(|entry| entry.n()).collect();
            if recent.reaches(n) {
                prop_assert_eq!(got, naive(&appends, &wanted, n));
            }
            // The window knows what the log knows, or says that it does not know. A position beyond
            // the end is one of no entry.
            let actual = match n.checked_sub(1) {
                None => start,
                Some(index) => all
                    .get(index as usize)
                    .map_or(Position { n, ..start }, |entry| entry.position()),
            };
            let epoch = if is_same_epoch { actual.epoch } else { Epoch::random() };
            let check = if is_same_entry { actual.check } else { !actual.check };
            let position = Position { epoch, check, n };
            let history = now(log.history(n, &rooms, limit + 1));
            let by_log = judge(position, ResumeFacts::from_history(n, history), limit);
            match judge_by_window(&recent, position, &rooms, limit) {
                Some(judged) => prop_assert_eq!(judged, by_log),
                None => {
                    let dropped = n + keep as u64 <= all.len() as u64;
                    let is_ahead = n > all.len() as u64;
                    prop_assert!(dropped || n < preloaded as u64 || is_ahead);
                }
            }
        }
    }

    #[test]
    fn a_position_of_another_history_is_refused() {
        let log = MemoryLog::default();
        let other = MemoryLog::default();
        let entry = || NewEntry::event([room(1)], ("e", json!({}))).unwrap();
        let at = log.append_now(vec![entry(), entry()]);
        let foreign = other.append_now(vec![entry(), entry(), entry()]);
        let mut recent = Recent::new(Position::start(at[0].epoch()), up_to(10));
        for entry in now(log.read(None, 0, 10)).entries {
            recent.push(&entry);
        }
        let judge = |position| judge_by_window(&recent, position, &[], 10);
        let resumable = Resumable {
            after: 2,
            missed: 0,
        };
        assert_eq!(judge(at[1]), Some(Ok(resumable)));
        assert_eq!(judge(foreign[1]), Some(Err(ResetReason::EpochChanged)));
        let replaced = Position {
            check: !at[1].check,
            ..at[1]
        };
        assert_eq!(judge(replaced), Some(Err(ResetReason::EpochChanged)));
        assert_eq!(judge(Position { n: 3, ..at[1] }), None);
    }
}

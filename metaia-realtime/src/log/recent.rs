//! The entries of a node's window, indexed by number and by room. A pure kernel.

use std::{
    collections::{HashMap, VecDeque},
    sync::Arc,
};

use crate::{
    Position, Room,
    log::{Entry, ResetReason, Resumable},
};

/// The last entries of a log, without holes.
#[derive(Debug)]
pub(crate) struct Recent {
    entries: VecDeque<Arc<Entry>>,
    /// The numbers of each room's entries.
    rooms: HashMap<Room, VecDeque<u64>>,
    /// The position before the first entry, if it is known.
    before: Option<Position>,
    head: Position,
    dispatched: Position,
    bytes: usize,
    max_entries: usize,
    max_bytes: usize,
}

impl Recent {
    /// Creates an empty window after `head`.
    pub(crate) fn new(head: Position, max_entries: usize, max_bytes: usize) -> Self {
        Self {
            entries: VecDeque::new(),
            rooms: HashMap::new(),
            before: Some(head),
            head,
            dispatched: head,
            bytes: 0,
            max_entries,
            max_bytes,
        }
    }

    /// Adds entries up to the head that were dispatched before this window existed, in one or
    /// several calls. Returns false at the first hole between them.
    pub(crate) fn fill<'a>(&mut self, entries: impl Iterator<Item = &'a Arc<Entry>>) -> bool {
        for entry in entries {
            match self.entries.back() {
                Some(last) if last.n() + 1 != entry.n() => return false,
                Some(_) => {}
                None => self.before = self.start_if_first(entry),
            }
            self.append(entry);
        }
        true
    }

    /// Returns the position before `entry` if that is the start of the log. For any other entry it
    /// is unknown: it needs the id of the previous entry, which the window lacks.
    fn start_if_first(&self, entry: &Entry) -> Option<Position> {
        if entry.n() == 1 {
            Some(Position::start(self.head.epoch()))
        } else {
            None
        }
    }

    /// Returns whether the entries reach up to the head.
    pub(crate) fn is_full(&self) -> bool {
        match self.entries.back() {
            Some(last) => last.position() == self.head,
            None => self.head.n() == 0,
        }
    }

    pub(crate) fn head(&self) -> Position {
        self.head
    }

    pub(crate) fn dispatched(&self) -> Position {
        self.dispatched
    }

    pub(crate) fn set_dispatched(&mut self, position: Position) {
        self.dispatched = position;
    }

    /// Returns the bounds: entries and bytes.
    pub(crate) const fn bounds(&self) -> (usize, usize) {
        (self.max_entries, self.max_bytes)
    }

    pub(crate) fn begin_again(&mut self, head: Position) {
        *self = Self::new(head, self.max_entries, self.max_bytes);
    }

    /// Returns all entries of the window, in order.
    pub(crate) fn entries(&self) -> impl Iterator<Item = &Arc<Entry>> {
        self.entries.iter()
    }

    /// Returns a position after which the window has every entry.
    pub(crate) fn begins_after(&self) -> Position {
        let first = self.entries.front().map(|first| first.position());
        self.before.or(first).unwrap_or(self.head)
    }

    /// Returns whether the window has every entry after `n` up to the head.
    pub(crate) fn reaches(&self, n: u64) -> bool {
        match self.entries.front() {
            Some(first) => n + 1 >= first.n(),
            None => n >= self.head.n(),
        }
    }

    /// Returns the entries after `n` in any of `rooms`, in order and once each.
    pub(crate) fn after<'a>(
        &self,
        n: u64,
        rooms: impl Iterator<Item = &'a Room>,
    ) -> impl Iterator<Item = &Arc<Entry>> {
        let numbers = self.numbers(n, rooms).into_iter();
        numbers.filter_map(|n| self.entry(n))
    }

    /// Decides whether a client can resume after `position`. Returns `None` if the window does not
    /// know: only the log can decide then. Call it when the window has reached the end of the log.
    pub(crate) fn judge<'a>(
        &self,
        position: Position,
        rooms: impl Iterator<Item = &'a Room>,
        limit: usize,
    ) -> Option<Result<Resumable, ResetReason>> {
        if position.epoch() != self.head.epoch() {
            return Some(Err(ResetReason::EpochChanged));
        }
        if position.n() > self.head.n() {
            return Some(Err(ResetReason::Ahead));
        }
        let actual = match self.before {
            Some(before) if before.n() == position.n() => before,
            _ => self.entry(position.n())?.position(),
        };
        if actual != position {
            return Some(Err(ResetReason::EpochChanged));
        }
        let missed = self.numbers(position.n(), rooms).len();
        if missed > limit {
            return Some(Err(ResetReason::TooOld));
        }
        Some(Ok(Resumable {
            after: position.n(),
            missed,
        }))
    }

    fn entry(&self, n: u64) -> Option<&Arc<Entry>> {
        let first = self.entries.front()?.n();
        let index = n.checked_sub(first)?;
        self.entries.get(usize::try_from(index).ok()?)
    }

    /// Returns the numbers of the entries after `n` in any of `rooms`, in order and once each.
    fn numbers<'a>(&self, n: u64, rooms: impl Iterator<Item = &'a Room>) -> Vec<u64> {
        let mut numbers = Vec::new();
        for index in rooms.filter_map(|room| self.rooms.get(room)) {
            let start = index.partition_point(|number| *number <= n);
            numbers.extend(index.range(start..));
        }
        numbers.sort_unstable();
        numbers.dedup();
        numbers
    }

    /// Adds a dispatched entry. After a hole, the window begins again with this entry.
    pub(crate) fn push(&mut self, entry: &Arc<Entry>) {
        if entry.n() != self.head.n() + 1 {
            self.entries.clear();
            self.rooms.clear();
            self.before = None;
            self.bytes = 0;
        }
        self.head = entry.position();
        self.append(entry);
    }

    fn append(&mut self, entry: &Arc<Entry>) {
        self.bytes += entry.content().size();
        for room in entry.content().rooms() {
            let index = self.rooms.entry(room.clone()).or_default();
            // An entry that a store read back may name a room twice.
            if index.back() != Some(&entry.n()) {
                index.push_back(entry.n());
            }
        }
        self.entries.push_back(Arc::clone(entry));
        while self.entries.len() > self.max_entries || self.bytes > self.max_bytes {
            self.drop_oldest();
        }
    }

    fn drop_oldest(&mut self) {
        let Some(oldest) = self.entries.pop_front() else {
            return;
        };
        self.bytes -= oldest.content().size();
        self.before = Some(oldest.position());
        for room in oldest.content().rooms() {
            let Some(index) = self.rooms.get_mut(room) else {
                continue;
            };
            index.pop_front_if(|n| *n == oldest.n());
            if index.is_empty() {
                self.rooms.remove(room);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{EventLog as _, MemoryLog, NewEntry, log::judge};
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

    proptest! {
        #[test]
        fn the_window_agrees_with_the_log(
            appends in vec(vec(0u8..4, 1..4), 0..40),
            wanted in vec(0u8..4, 0..4),
            preloaded in 0usize..40,
            keep in 1usize..20,
            n in 0u64..45,
            limit in 0usize..30,
        ) {
            let log = MemoryLog::default();
            for rooms in &appends {
                let rooms: Vec<Room> = rooms.iter().copied().map(room).collect();
                log.append_now(vec![NewEntry::event(rooms, ("e", json!({}))).unwrap()]);
            }
            let all = now(log.read(None, 0, 100)).entries;
            let preloaded = preloaded.min(all.len());
            let start = Position::start(now(log.head()).position.epoch());
            let head = all[..preloaded].last().map_or(start, |entry| entry.position());
            let mut recent = Recent::new(head, keep, usize::MAX);
            prop_assert!(recent.fill(all[..preloaded].iter()) && recent.is_full());
            for entry in &all[preloaded..] {
                recent.push(entry);
            }

            let rooms: Vec<Room> = wanted.iter().copied().map(room).collect();
            let expected = naive(&appends, &wanted, n);
            let got: Vec<u64> = recent.after(n, rooms.iter()).map(|entry| entry.n()).collect();
            if recent.reaches(n) {
                prop_assert_eq!(got, expected);
            }
            // The window decides as the log does, or says that it does not know.
            let at = match n {
                0 => Some(start),
                n => all.get(n as usize - 1).map(|entry| entry.position()),
            };
            if let Some(at) = at {
                let history = now(log.history(n, &rooms, limit + 1));
                match recent.judge(at, rooms.iter(), limit) {
                    Some(judged) => prop_assert_eq!(judged, judge(at, history, limit)),
                    None => {
                        let dropped = n + keep as u64 <= all.len() as u64;
                        prop_assert!(dropped || n < preloaded as u64);
                    }
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
        let mut recent = Recent::new(Position::start(at[0].epoch()), 10, usize::MAX);
        for entry in now(log.read(None, 0, 10)).entries {
            recent.push(&entry);
        }
        let judge = |position| recent.judge(position, std::iter::empty(), 10);
        assert_eq!(
            judge(at[1]),
            Some(Ok(Resumable {
                after: 2,
                missed: 0
            }))
        );
        assert_eq!(judge(foreign[1]), Some(Err(ResetReason::EpochChanged)));
        let replaced = Position {
            check: !at[1].check,
            ..at[1]
        };
        assert_eq!(judge(replaced), Some(Err(ResetReason::EpochChanged)));
        assert_eq!(
            judge(Position { n: 3, ..at[1] }),
            Some(Err(ResetReason::Ahead))
        );
    }
}

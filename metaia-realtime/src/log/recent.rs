//! What the window holds, found by number and by room. A pure kernel.

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
    /// The position before the first of them, where it is known.
    before: Option<Position>,
    head: Position,
    dispatched: Position,
    bytes: usize,
    max_entries: usize,
    max_bytes: usize,
}

impl Recent {
    /// Nothing, after `head`.
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

    /// Takes entries that were dispatched in an earlier life: those up to the head, in several
    /// calls. Answers whether they are without holes.
    pub(crate) fn fill<'a>(&mut self, entries: impl Iterator<Item = &'a Arc<Entry>>) -> bool {
        for entry in entries {
            match self.entries.back() {
                Some(last) if last.n() + 1 != entry.n() => return false,
                Some(_) => {}
                None => self.before = (entry.n() == 1).then(|| Position::start(self.head.epoch())),
            }
            self.append(entry);
        }
        true
    }

    /// Whether it was filled up to the head.
    pub(crate) fn is_full(&self) -> bool {
        self.entries
            .back()
            .map_or(self.head.n() == 0, |last| last.position() == self.head)
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

    /// Most entries, and most bytes.
    pub(crate) const fn bounds(&self) -> (usize, usize) {
        (self.max_entries, self.max_bytes)
    }

    pub(crate) fn begin_again(&mut self, head: Position) {
        *self = Self::new(head, self.max_entries, self.max_bytes);
    }

    /// All that is here, in order.
    pub(crate) fn entries(&self) -> impl Iterator<Item = &Arc<Entry>> {
        self.entries.iter()
    }

    /// A position with everything after it here.
    pub(crate) fn begins_after(&self) -> Position {
        let first = self.entries.front().map(|first| first.position());
        self.before.or(first).unwrap_or(self.head)
    }

    /// Whether every entry after `n` that was dispatched is here.
    pub(crate) fn reaches(&self, n: u64) -> bool {
        self.entries
            .front()
            .map_or(n >= self.head.n(), |first| n + 1 >= first.n())
    }

    /// The entries after `n` in any of `rooms`, in order and once each.
    pub(crate) fn after<'a>(
        &self,
        n: u64,
        rooms: impl Iterator<Item = &'a Room>,
    ) -> impl Iterator<Item = &Arc<Entry>> {
        self.numbers(n, rooms)
            .into_iter()
            .filter_map(|n| self.entry(n))
    }

    /// Whether delivery can go on after `position`, where that can be said from here. Called where
    /// the window has reached the end of the log.
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
        let there = match self.before {
            Some(before) if before.n() == position.n() => before,
            _ => self.entry(position.n())?.position(),
        };
        if there != position {
            return Some(Err(ResetReason::EpochChanged));
        }
        let missed = self.numbers(position.n(), rooms).len();
        let resumable = Resumable {
            after: position.n(),
            missed,
        };
        Some(if missed > limit {
            Err(ResetReason::TooOld)
        } else {
            Ok(resumable)
        })
    }

    fn entry(&self, n: u64) -> Option<&Arc<Entry>> {
        let first = self.entries.front()?.n();
        self.entries
            .get(usize::try_from(n.checked_sub(first)?).ok()?)
    }

    fn numbers<'a>(&self, n: u64, rooms: impl Iterator<Item = &'a Room>) -> Vec<u64> {
        let mut numbers = Vec::new();
        for index in rooms.filter_map(|room| self.rooms.get(room)) {
            numbers.extend(index.range(index.partition_point(|known| *known <= n)..));
        }
        numbers.sort_unstable();
        numbers.dedup();
        numbers
    }

    pub(crate) fn push(&mut self, entry: &Arc<Entry>) {
        if entry.n() != self.head.n() + 1 {
            self.entries.clear();
            self.rooms.clear();
            (self.before, self.bytes) = (None, 0);
        }
        self.head = entry.position();
        self.append(entry);
    }

    fn append(&mut self, entry: &Arc<Entry>) {
        self.bytes += entry.content().size();
        for room in entry.content().rooms() {
            let index = self.rooms.entry(room.clone()).or_default();
            // An entry may name a room twice.
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
    use proptest::prelude::*;
    use serde_json::json;

    fn now<T, E: std::fmt::Debug>(future: impl Future<Output = Result<T, E>>) -> T {
        futures_util::FutureExt::now_or_never(future)
            .unwrap()
            .unwrap()
    }

    fn room(index: u8) -> Room {
        Room::User(format!("u{index}").parse().unwrap())
    }

    /// The numbers of the entries of `wanted` after `n`, by looking at all of them.
    fn naive(appends: &[Vec<u8>], wanted: &[u8], n: u64) -> Vec<u64> {
        let with_numbers = (1..).zip(appends);
        let matching =
            with_numbers.filter(|(_, rooms)| rooms.iter().any(|room| wanted.contains(room)));
        matching
            .map(|(number, _)| number)
            .filter(|number| *number > n)
            .collect()
    }

    proptest! {
        #[test]
        fn the_window_says_what_the_log_says(
            appends in proptest::collection::vec(proptest::collection::vec(0u8..4, 1..4), 0..40),
            wanted in proptest::collection::vec(0u8..4, 0..4),
            preloaded in 0usize..40, keep in 1usize..20, n in 0u64..45, limit in 0usize..30,
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
            all[preloaded..].iter().for_each(|entry| recent.push(entry));

            let rooms: Vec<Room> = wanted.iter().copied().map(room).collect();
            let expected = naive(&appends, &wanted, n);
            let got: Vec<u64> = recent.after(n, rooms.iter()).map(|entry| entry.n()).collect();
            if recent.reaches(n) {
                prop_assert_eq!(got, expected);
            }
            // What the window says of a position is what the log says; where it does not know, it
            // says so.
            let at = if n == 0 { Some(start) } else { all.get(n as usize - 1).map(|entry| entry.position()) };
            if let Some(at) = at {
                let history = now(log.history(n, &rooms, limit + 1));
                match recent.judge(at, rooms.iter(), limit) {
                    Some(judged) => prop_assert_eq!(judged, judge(at, history, limit)),
                    None => prop_assert!(n + keep as u64 <= all.len() as u64 || n < preloaded as u64),
                }
            }
        }
    }

    #[test]
    fn another_history_is_not_taken_for_this_one() {
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

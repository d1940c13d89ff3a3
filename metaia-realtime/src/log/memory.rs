//! The log in memory: no set-up, resume while the process lives, bounded by count and bytes.
//!
//! When a bound is reached the oldest entries go, never the last one. A client whose position is
//! older than that gets `rt:reset`, and only if something for its rooms is really gone.
//!
//! Bounds are looked at with each append, and by [`MemoryLog::trim`]: in a log that nothing is
//! appended to, entries stay beyond their age. Only the oldest entry is looked at, again and again:
//! where the system's clock was set back, an entry from before waits until its time has come again,
//! and those after it with it.

use std::{
    collections::{BTreeSet, HashMap, VecDeque},
    future::{Future, ready},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use tokio::sync::watch;

use super::{
    Entry, EventLog, Head, History, LogError, NewEntry, Page, Retention, trimmed::Trimmed,
};
use crate::{
    EventId, Position, Room,
    values::{Epoch, time},
};

/// The log in memory. A handle: clones share one log.
#[derive(Debug, Clone)]
pub struct MemoryLog {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    state: Mutex<State>,
    head: watch::Sender<u64>,
}

#[derive(Debug)]
struct State {
    epoch: Epoch,
    retention: Retention,
    entries: VecDeque<Arc<Entry>>,
    bytes: u64,
    head: Position,
    ids: HashMap<EventId, u64>,
    rooms: HashMap<Room, VecDeque<u64>>,
    trimmed: Trimmed,
}

impl MemoryLog {
    /// An empty log, of a new epoch.
    #[must_use]
    pub fn new(retention: Retention) -> Self {
        let epoch = Epoch::random();
        let state = State {
            epoch,
            retention,
            entries: VecDeque::new(),
            bytes: 0,
            head: Position::start(epoch),
            ids: HashMap::new(),
            rooms: HashMap::new(),
            trimmed: Trimmed::default(),
        };
        Self {
            shared: Arc::new(Shared {
                state: Mutex::new(state),
                head: watch::Sender::new(0),
            }),
        }
    }

    /// [`EventLog::append`] without a future: this log never waits and never fails.
    pub fn append_now(&self, entries: Vec<NewEntry>) -> Vec<Position> {
        self.append_at(entries, time::unix_ms())
    }

    /// The same at another time, in ms since the Unix epoch.
    pub(crate) fn append_at(&self, entries: Vec<NewEntry>, now: i64) -> Vec<Position> {
        let mut state = self.state();
        let positions = entries
            .into_iter()
            .map(|new| state.push(new, now))
            .collect();
        state.trim(now);
        let head = state.head.n();
        drop(state);
        self.tell(head);
        positions
    }

    /// Removes what is beyond the retention now. Each append does so too; this is for the age of
    /// entries in a log that is quiet.
    pub fn trim(&self) {
        self.trim_at(time::unix_ms());
    }

    pub(crate) fn trim_at(&self, now: i64) {
        self.state().trim(now);
    }

    /// Outside the lock another append may have been told already: what is told never goes back.
    fn tell(&self, head: u64) {
        self.shared.head.send_if_modified(|told| {
            let newer = head > *told;
            *told = head.max(*told);
            newer
        });
    }

    /// A poisoned lock is taken over: no method leaves the state half changed.
    fn state(&self) -> MutexGuard<'_, State> {
        self.shared
            .state
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

impl Default for MemoryLog {
    fn default() -> Self {
        Self::new(Retention::MEMORY)
    }
}

impl EventLog for MemoryLog {
    fn append(
        &self,
        entries: Vec<NewEntry>,
    ) -> impl Future<Output = Result<Vec<Position>, LogError>> + Send {
        ready(Ok(self.append_now(entries)))
    }

    fn head(&self) -> impl Future<Output = Result<Head, LogError>> + Send {
        let state = self.state();
        ready(Ok(Head {
            position: state.head,
            floor: state.floor(),
        }))
    }

    fn read(
        &self,
        rooms: Option<&[Room]>,
        after: u64,
        limit: usize,
    ) -> impl Future<Output = Result<Page, LogError>> + Send {
        ready(Ok(self.state().read(rooms, after, limit)))
    }

    fn history(
        &self,
        n: u64,
        rooms: &[Room],
        limit: usize,
    ) -> impl Future<Output = Result<History, LogError>> + Send {
        let state = self.state();
        let entry = state.entry(n).map(|entry| entry.content().id());
        let missed = state.numbers(rooms, n, limit).len();
        ready(Ok(History {
            head: state.head,
            entry,
            trimmed: state.trimmed.highest(rooms),
            missed,
        }))
    }

    fn changes(&self) -> watch::Receiver<u64> {
        self.shared.head.subscribe()
    }
}

impl State {
    fn push(&mut self, new: NewEntry, now: i64) -> Position {
        if let Some(known) = self.ids.get(&new.id).and_then(|n| self.entry(*n)) {
            return known.position();
        }
        let entry = Entry::new(self.epoch, self.head.n() + 1, now, new);
        self.head = entry.position();
        self.bytes += entry.content().size() as u64;
        self.ids.insert(entry.content().id(), entry.n());
        for room in entry.content().rooms() {
            let index = self.rooms.entry(room.clone()).or_default();
            // An entry may name a room twice.
            if index.back() != Some(&entry.n()) {
                index.push_back(entry.n());
            }
        }
        self.entries.push_back(Arc::new(entry));
        self.head
    }

    fn trim(&mut self, now: i64) {
        while self.entries.len() > 1 && self.beyond_bounds(now) {
            if let Some(oldest) = self.entries.pop_front() {
                self.forget(&oldest);
            }
        }
    }

    fn beyond_bounds(&self, now: i64) -> bool {
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

    fn floor(&self) -> u64 {
        self.entries
            .front()
            .map_or(self.head.n(), |oldest| oldest.n() - 1)
    }

    fn entry(&self, n: u64) -> Option<&Arc<Entry>> {
        let at = n.checked_sub(self.floor() + 1)?;
        self.entries.get(usize::try_from(at).ok()?)
    }

    fn read(&self, rooms: Option<&[Room]>, after: u64, limit: usize) -> Page {
        let numbers: Vec<u64> = match rooms {
            None => (after.max(self.floor()).saturating_add(1)..=self.head.n())
                .take(limit)
                .collect(),
            Some(rooms) => self.numbers(rooms, after, limit),
        };
        let trimmed = match rooms {
            None => self.floor(),
            Some(rooms) => self.trimmed.highest(rooms),
        };
        let full = numbers.len() == limit;
        // A page that was to have nothing has looked at nothing.
        let scanned = if full {
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

    fn numbers(&self, rooms: &[Room], after: u64, limit: usize) -> Vec<u64> {
        let mut found = BTreeSet::new();
        for index in rooms.iter().filter_map(|room| self.rooms.get(room)) {
            let from = index.partition_point(|n| *n <= after);
            found.extend(index.range(from..).take(limit));
        }
        found.into_iter().take(limit).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    fn new(rooms: &[u8]) -> NewEntry {
        let rooms: Vec<Room> = rooms
            .iter()
            .map(|r| Room::User(format!("u{r}").parse().unwrap()))
            .collect();
        NewEntry::event(rooms, ("e", json!({}))).unwrap()
    }

    fn room(r: u8) -> Room {
        Room::User(format!("u{r}").parse().unwrap())
    }

    #[test]
    fn an_entry_that_is_appended_again_keeps_its_place() {
        let log = MemoryLog::default();
        let entry = new(&[1]);
        let first = log.append_now(vec![entry.clone(), new(&[2])]);
        assert_eq!(log.append_now(vec![entry]), [first[0]]);
        assert_eq!(*log.changes().borrow(), 2);
    }

    #[test]
    fn the_last_entry_stays_even_when_it_is_over_the_bounds() {
        let log = MemoryLog::new(Retention::MEMORY.entries(10).bytes(1));
        log.append_now(vec![new(&[1]), new(&[1]), new(&[1])]);
        let page = log.state().read(None, 0, 10);
        assert_eq!(page.entries.iter().map(|e| e.n()).collect::<Vec<_>>(), [3]);
        assert_eq!(page.trimmed, 2);
    }

    proptest! {
        /// Against the naive model: a list of all entries ever appended.
        #[test]
        fn reading_by_rooms_gives_what_filtering_everything_gives(
            appends in proptest::collection::vec(proptest::collection::btree_set(0u8..4, 1..3), 0..60),
            keep in 1usize..40,
            wanted in proptest::collection::btree_set(0u8..4, 0..3),
            after in 0u64..70,
            limit in 1usize..20,
        ) {
            let log = MemoryLog::new(Retention::MEMORY.entries(keep).bytes(u64::MAX));
            for rooms in &appends {
                log.append_now(vec![new(&rooms.iter().copied().collect::<Vec<_>>())]);
            }
            let total = appends.len() as u64;
            let floor = total.saturating_sub(keep as u64);
            let wanted_rooms: Vec<Room> = wanted.iter().map(|r| room(*r)).collect();
            let matching = |n: &u64| appends[*n as usize - 1].intersection(&wanted).next().is_some();
            let expected: Vec<u64> = (floor.max(after) + 1..=total).filter(matching).take(limit).collect();
            let page = log.state().read(Some(&wanted_rooms), after, limit);
            let got: Vec<u64> = page.entries.iter().map(|e| e.n()).collect();
            prop_assert_eq!(&got, &expected);
            prop_assert_eq!(page.trimmed, (1..=floor).rev().find(matching).unwrap_or(0));
            if got.len() == limit { prop_assert_eq!(page.scanned, *got.last().unwrap()) }
            else { prop_assert_eq!(page.scanned, after.max(total)) }
        }
    }
}

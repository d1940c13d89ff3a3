//! The log in memory: no set-up, resume while the process lives, bounded by count, bytes and age.
//!
//! Beyond a bound the log removes the oldest entries, never the last one. A client with an older
//! position receives `rt:reset` only if an entry of its rooms is gone (beyond 65,536 rooms with
//! marks, also if one may be gone).
//!
//! Each append checks the bounds, and so does [`MemoryLog::trim`]. Without either of them, entries
//! stay longer than their age. Trimming looks at the oldest entry, removes it if it is beyond a
//! bound, and looks at the next one. If the clock was set back, entries stay longer than their age:
//! an entry with a time in the future keeps all entries after it.

mod state;

use std::{
    future::{Future, ready},
    sync::Arc,
};

use parking_lot::Mutex;
use tokio::sync::watch;

use super::{EventLog, Head, History, LogError, NewEntry, Page, Retention, changes::raise};
use crate::{Position, Room, values::time};
use state::MemoryLogState;

/// The log in memory. A handle: clones share one log.
///
/// ```
/// use metaia_realtime::{EventLog, MemoryLog, NewEntry, Room, log::Retention};
///
/// # #[tokio::main]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let log = MemoryLog::new(Retention::MEMORY.entries(10_000));
/// let event = ("tick", serde_json::json!({ "second": 1 }));
/// let positions = log.append(vec![NewEntry::event([Room::Everyone], event)?]).await?;
///
/// let page = log.read(None, 0, 100).await?;
/// assert_eq!(page.entries[0].position(), positions[0]);
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct MemoryLog {
    inner: Arc<MemoryLogInner>,
}

#[derive(Debug)]
struct MemoryLogInner {
    state: Mutex<MemoryLogState>,
    head: watch::Sender<u64>,
}

impl MemoryLog {
    /// Creates an empty log with a new epoch.
    #[must_use]
    pub fn new(retention: Retention) -> Self {
        Self {
            inner: Arc::new(MemoryLogInner {
                state: Mutex::new(MemoryLogState::new(retention)),
                head: watch::Sender::new(0),
            }),
        }
    }

    /// Appends entries as [`EventLog::append`] does, but without a future: this log never waits and
    /// never fails.
    pub fn append_now(&self, entries: Vec<NewEntry>) -> Vec<Position> {
        self.append_at(entries, time::unix_ms())
    }

    /// Appends entries with `now` as the time, in ms since the Unix epoch.
    pub(crate) fn append_at(&self, entries: Vec<NewEntry>, now: i64) -> Vec<Position> {
        let mut state = self.inner.state.lock();
        let numbered = entries.into_iter().map(|new| state.push(new, now));
        let positions = numbered.collect();
        state.trim(now);
        let head = state.head().position.n();
        // Subscribers that wake up read the log at once: they must not find the lock taken.
        drop(state);
        // The lock is free: a later append may have published its number already.
        raise(&self.inner.head, head);
        positions
    }

    /// Removes the entries that are beyond the retention now. Each append does so too; this call is
    /// for entries that grow old while nothing is appended.
    pub fn trim(&self) {
        self.trim_at(time::unix_ms());
    }

    pub(crate) fn trim_at(&self, now: i64) {
        self.inner.state.lock().trim(now);
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
        ready(Ok(self.inner.state.lock().head()))
    }

    fn read(
        &self,
        rooms: Option<&[Room]>,
        after: u64,
        limit: usize,
    ) -> impl Future<Output = Result<Page, LogError>> + Send {
        ready(Ok(self.inner.state.lock().read(rooms, after, limit)))
    }

    fn history(
        &self,
        n: u64,
        rooms: &[Room],
        limit: usize,
    ) -> impl Future<Output = Result<History, LogError>> + Send {
        ready(Ok(self.inner.state.lock().history(n, rooms, limit)))
    }

    fn changes(&self) -> watch::Receiver<u64> {
        self.inner.head.subscribe()
    }

    fn name(&self) -> &'static str {
        "memory"
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::values::Moment;
    use proptest::{
        collection::{btree_set, vec},
        prelude::*,
    };
    use serde_json::json;

    fn new(rooms: &[u8]) -> NewEntry {
        let rooms: Vec<Room> = rooms.iter().copied().map(room).collect();
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
    fn the_commit_of_an_entry_is_known() {
        let log = MemoryLog::default();
        let before = Moment::now();
        log.append_now(vec![new(&[1])]);
        let page = log.inner.state.lock().read(None, 0, 1);
        assert!(page.entries[0].committed().unwrap() >= before);
    }

    #[test]
    fn the_last_entry_stays_even_when_it_is_over_the_bounds() {
        let log = MemoryLog::new(Retention::MEMORY.entries(10).bytes(1));
        log.append_now(vec![new(&[1]), new(&[1]), new(&[1])]);
        let page = log.inner.state.lock().read(None, 0, 10);
        assert_eq!(page.entries.iter().map(|e| e.n()).collect::<Vec<_>>(), [3]);
        assert_eq!(page.trimmed, 2);
    }

    proptest! {
        /// Compares with a naive model: a list of all entries ever appended.
        #[test]
        fn reading_by_rooms_gives_what_filtering_everything_gives(
            appends in vec(btree_set(0u8..4, 1..3), 0..60),
            keep in 1usize..40,
            wanted in btree_set(0u8..4, 0..3),
            after in 0u64..70,
            limit in 1usize..20,
        ) {
            let log = MemoryLog::new(Retention::MEMORY.entries(keep).bytes(u64::MAX));
            for rooms in &appends {
                let rooms: Vec<u8> = rooms.iter().copied().collect();
                log.append_now(vec![new(&rooms)]);
            }
            let total = appends.len() as u64;
            let floor = total.saturating_sub(keep as u64);
            let wanted_rooms: Vec<Room> = wanted.iter().map(|r| room(*r)).collect();
            let matching = |n: &u64| !appends[*n as usize - 1].is_disjoint(&wanted);
            let retained = floor.max(after) + 1..=total;
            let expected: Vec<u64> = retained.filter(matching).take(limit).collect();
            let page = log.inner.state.lock().read(Some(&wanted_rooms), after, limit);
            let got: Vec<u64> = page.entries.iter().map(|e| e.n()).collect();
            prop_assert_eq!(&got, &expected);
            prop_assert_eq!(page.trimmed, (1..=floor).rev().find(matching).unwrap_or(0));
            let scanned = if got.len() == limit {
                *got.last().unwrap()
            } else {
                after.max(total)
            };
            prop_assert_eq!(page.scanned, scanned);
        }
    }
}

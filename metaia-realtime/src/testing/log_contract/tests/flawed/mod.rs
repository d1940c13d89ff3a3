//! A naive log with a flaw.

mod append;
mod trim;

use std::{
    sync::{
        Arc, Mutex, MutexGuard,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use tokio::{sync::watch, task::yield_now};

use super::{disk::Disk, flaw::Flaw};
use crate::{
    EventLog, NewEntry, Position, Room,
    log::{Entry, Head, History, LogError, Page, Retention},
    values::{Epoch, EventId},
};

/// A log in a [`Disk`] that has the flaw.
#[derive(Debug)]
pub(in crate::testing::log_contract::tests) struct Flawed {
    flaw: Flaw,
    retention: Retention,
    disk: Arc<Mutex<Disk>>,
    told: watch::Sender<u64>,
    /// Senders of subscribers that receive nothing before they subscribe.
    later: Mutex<Vec<watch::Sender<u64>>>,
    /// Held by an append that shows its parts.
    one: tokio::sync::Mutex<()>,
    reads: AtomicUsize,
}

impl Flawed {
    pub(in crate::testing::log_contract::tests) fn open(
        flaw: Flaw,
        disk: &Arc<Mutex<Disk>>,
        retention: Retention,
    ) -> Self {
        let told = disk.lock().unwrap().shown.n();
        Self {
            flaw,
            retention,
            disk: Arc::clone(disk),
            told: watch::Sender::new(told),
            later: Mutex::default(),
            one: tokio::sync::Mutex::default(),
            reads: AtomicUsize::new(0),
        }
    }

    fn has(&self, flaw: Flaw) -> bool {
        self.flaw == flaw
    }

    fn disk(&self) -> MutexGuard<'_, Disk> {
        self.disk.lock().unwrap()
    }

    pub(in crate::testing::log_contract::tests) fn knows(&self, id: EventId) -> bool {
        self.disk().known(id).is_some()
    }

    pub(in crate::testing::log_contract::tests) fn pass(&self, time: Duration) {
        self.disk().ahead += time.as_millis() as i64;
    }

    /// Pauses in the middle of an operation until others have read `times` times, at most for 2,000
    /// yields.
    async fn while_others_read(&self, times: usize) {
        let until = self.reads.load(Ordering::SeqCst) + times;
        for _ in 0..2_000 {
            if self.reads.load(Ordering::SeqCst) >= until {
                return;
            }
            yield_now().await;
        }
    }

    fn wanted(&self, entry: &Entry, rooms: Option<&[Room]>) -> usize {
        let Some(rooms) = rooms else { return 1 };
        let published = entry.content().rooms();
        let fits = |room: &&Room| match self.flaw {
            Flaw::IgnoresCase => {
                let name = room.to_string().to_lowercase();
                published
                    .iter()
                    .any(|room| room.to_string().to_lowercase() == name)
            }
            _ => published.contains(room),
        };
        let count = rooms.iter().filter(fits).count();
        if self.has(Flaw::GivesOncePerRoom) {
            count
        } else {
            count.min(1)
        }
    }

    fn trimmed(&self, disk: &Disk, rooms: Option<&[Room]>) -> u64 {
        let rooms = rooms.filter(|_| !self.has(Flaw::MarksAllRooms));
        let gone = disk
            .gone
            .iter()
            .filter(|entry| self.wanted(entry, rooms) > 0);
        gone.map(|entry| entry.n()).max().unwrap_or(0)
    }

    fn page(&self, disk: &Disk, rooms: Option<&[Room]>, after: u64, limit: usize) -> Page {
        let most = match self.flaw {
            Flaw::GivesShortPages => limit.min(5),
            Flaw::ScansWithoutLimit if limit == 0 => 1,
            _ => limit,
        };
        let end = disk.shown.n();
        let after = match self.flaw {
            Flaw::LooksAtTheLastOnly => after.max(end.saturating_sub(4_096)),
            _ => after,
        };
        let range = disk
            .entries
            .range(after.saturating_add(1).min(end + 1)..end + 1);
        let times =
            |(_, entry): (&u64, &Arc<Entry>)| vec![Arc::clone(entry); self.wanted(entry, rooms)];
        let mut entries: Vec<_> = range.flat_map(times).take(most).collect();
        let last = entries.last().map_or(after, |entry| entry.n());
        let all = entries.len() < most || self.has(Flaw::ScansToTheHead);
        let scanned = if all { after.max(end) } else { last };
        entries.truncate(limit);
        let epoch = if self.has(Flaw::GivesAnotherEpoch) {
            Epoch::random()
        } else {
            disk.epoch
        };
        Page {
            epoch,
            entries,
            scanned,
            trimmed: self.trimmed(disk, rooms),
        }
    }
}

impl EventLog for Flawed {
    async fn append(&self, entries: Vec<NewEntry>) -> Result<Vec<Position>, LogError> {
        Ok(self.append_flawed(entries).await)
    }

    async fn head(&self) -> Result<Head, LogError> {
        let disk = self.disk();
        Ok(Head {
            position: disk.shown,
            floor: self.trimmed(&disk, None),
        })
    }

    async fn read(
        &self,
        rooms: Option<&[Room]>,
        after: u64,
        limit: usize,
    ) -> Result<Page, LogError> {
        self.reads.fetch_add(1, Ordering::SeqCst);
        Ok(self.page(&self.disk(), rooms, after, limit))
    }

    async fn history(&self, n: u64, rooms: &[Room], limit: usize) -> Result<History, LogError> {
        let disk = self.disk();
        let limit = if self.has(Flaw::CountsAllMissed) {
            usize::MAX
        } else {
            limit
        };
        let missed = self.page(&disk, Some(rooms), n, limit).entries.len();
        let entry = disk.entries.get(&n).map(|entry| entry.content().id());
        Ok(History {
            head: disk.shown,
            entry,
            trimmed: self.trimmed(&disk, Some(rooms)),
            missed,
        })
    }

    fn changes(&self) -> watch::Receiver<u64> {
        if self.has(Flaw::TellsNobodyLater) {
            let later = watch::Sender::new(0);
            let changes = later.subscribe();
            self.later.lock().unwrap().push(later);
            return changes;
        }
        self.told.subscribe()
    }
}

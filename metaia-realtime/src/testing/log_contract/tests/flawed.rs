//! A naive log, with a flaw to be chosen.

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
    EventId, EventLog, NewEntry, Position, Room,
    event::Payload,
    log::{Entry, Head, History, LogError, Page, Retention},
    values::{Epoch, time},
};

#[derive(Debug)]
pub(super) struct Flawed {
    flaw: Flaw,
    retention: Retention,
    disk: Arc<Mutex<Disk>>,
    told: watch::Sender<u64>,
    later: Mutex<Vec<watch::Sender<u64>>>,
    one: tokio::sync::Mutex<()>,
    reads: AtomicUsize,
}

impl Flawed {
    pub(super) fn open(flaw: Flaw, disk: &Arc<Mutex<Disk>>, retention: Retention) -> Self {
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

    pub(super) fn knows(&self, id: EventId) -> bool {
        self.disk().known(id).is_some()
    }

    pub(super) fn pass(&self, time: Duration) {
        self.disk().ahead += time.as_millis() as i64;
    }

    /// Leaves what it does half done until others have looked; where nobody does, it goes on after
    /// a while.
    async fn while_others_read(&self, times: usize) {
        let until = self.reads.load(Ordering::SeqCst) + times;
        for _ in 0..2_000 {
            if self.reads.load(Ordering::SeqCst) >= until {
                return;
            }
            yield_now().await;
        }
    }

    fn push(&self, disk: &mut Disk, new: NewEntry) -> Position {
        if !self.has(Flaw::ForgetsIds)
            && let Some(known) = disk.known(new.id())
        {
            if self.has(Flaw::ReplacesContent) {
                disk.insert(known.n(), new, 0);
            }
            return known;
        }
        let mut n = disk.reserve();
        if self.has(Flaw::SkipsNumbers) && n.is_multiple_of(5) {
            n = disk.reserve();
        }
        self.insert(disk, n, new)
    }

    fn insert(&self, disk: &mut Disk, n: u64, new: NewEntry) -> Position {
        let now = time::unix_ms() + disk.ahead;
        let ts = if self.has(Flaw::CountsSeconds) {
            now / 1000
        } else {
            now
        };
        disk.insert(n, self.written(new), ts)
    }

    /// What becomes of an entry on the disk.
    fn written(&self, new: NewEntry) -> NewEntry {
        match self.flaw {
            Flaw::Reformats => {
                let parsed = serde_json::from_str::<serde_json::Value>(new.payload.as_str());
                let text =
                    parsed.map_or(new.payload.as_str().to_owned(), |value| value.to_string());
                NewEntry {
                    payload: Payload::from_json(text).unwrap(),
                    ..new
                }
            }
            Flaw::KeepsFewRooms => NewEntry {
                rooms: new.rooms.iter().take(100).cloned().collect(),
                ..new
            },
            Flaw::MakesEventsOfRechecks if new.name() == "rt:recheck" => NewEntry {
                name: "recheck".parse().unwrap(),
                ..new
            },
            Flaw::ForgetsWhomToDisconnect if new.name().starts_with("rt:disconnect") => NewEntry {
                payload: Payload::empty(),
                ..new
            },
            _ => new,
        }
    }

    async fn add(&self, mut entries: Vec<NewEntry>) -> Vec<Position> {
        match self.flaw {
            Flaw::InsertsOneByOne => {
                let mut positions = Vec::new();
                for new in entries {
                    positions.push(self.push(&mut self.disk(), new));
                    self.show(None);
                    yield_now().await;
                }
                return positions;
            }
            Flaw::ShowsParts => {
                let _one = self.one.lock().await;
                let mut positions = Vec::new();
                for new in entries {
                    positions.push(self.push(&mut self.disk(), new));
                    self.show(None);
                    yield_now().await;
                }
                return positions;
            }
            Flaw::ReservesNumbers => {
                let numbers: Vec<_> = entries.iter().map(|_| self.disk().reserve()).collect();
                // Those that come later overtake some of those that came first.
                let slow = numbers.first().is_some_and(|n| n.is_multiple_of(3));
                self.while_others_read(if slow { 20 } else { 0 }).await;
                let mut disk = self.disk();
                return numbers
                    .into_iter()
                    .zip(entries)
                    .map(|(n, new)| self.insert(&mut disk, n, new))
                    .collect();
            }
            Flaw::LooksForIdsBeforehand => {
                let known: Vec<_> = entries
                    .iter()
                    .map(|new| self.disk().known(new.id()))
                    .collect();
                yield_now().await;
                if known.iter().any(Option::is_none) {
                    let mut disk = self.disk();
                    disk.ids
                        .retain(|id, _| entries.iter().all(|new| new.id() != *id));
                }
            }
            Flaw::CutsBatches => {
                let mut disk = self.disk();
                let start = disk.last.n() + 1;
                let due = (start..)
                    .zip(&entries)
                    .map(|(n, new)| Position::of(disk.epoch, n, new.id()));
                let due: Vec<_> = due.collect();
                if entries.len() > 1_000 {
                    entries.truncate(1_000);
                    for new in entries {
                        self.push(&mut disk, new);
                    }
                    return due;
                }
            }
            _ => {}
        }
        let mut disk = self.disk();
        entries
            .into_iter()
            .map(|new| self.push(&mut disk, new))
            .collect()
    }

    /// Lets readers see what was inserted, at the latest with the next append.
    fn show(&self, before: Option<Position>) {
        let mut disk = self.disk();
        disk.shown = match self.flaw {
            Flaw::ShowsLate => before.unwrap_or(disk.shown),
            Flaw::ShowsWhenQuiet if disk.appending > 0 => disk.shown,
            _ => disk.last,
        };
    }

    async fn tell(&self) {
        let head = self.disk().shown.n();
        match self.flaw {
            Flaw::TellsNobody => {}
            Flaw::TellsOutOfOrder => {
                self.while_others_read(if head.is_multiple_of(3) { 5 } else { 0 })
                    .await;
                self.told.send_replace(head);
            }
            _ => drop(
                self.told
                    .send_if_modified(|told| std::mem::replace(told, head.max(*told)) < head),
            ),
        }
        for later in &*self.later.lock().unwrap() {
            later.send_replace(head);
        }
    }

    pub(super) async fn trim(&self) {
        if self.has(Flaw::ForgetsIdsWhenTrimmed) {
            self.disk().ids.clear();
        }
        let mut gone = Vec::new();
        {
            let mut disk = self.disk();
            while self.beyond(&disk) {
                let newest = self.has(Flaw::TrimsTheNewest) && disk.entries.len() > 2;
                let newest = newest.then(|| *disk.entries.keys().nth_back(1).unwrap());
                let n = newest.or(disk.entries.keys().next().copied()).unwrap();
                gone.extend(disk.entries.remove(&n));
            }
            if !self.has(Flaw::MarksLate) {
                disk.gone.append(&mut gone);
            }
        }
        if !gone.is_empty() {
            self.while_others_read(20).await;
        }
        self.disk().gone.extend(gone);
    }

    fn beyond(&self, disk: &Disk) -> bool {
        let least = if self.has(Flaw::RemovesTheLast) { 0 } else { 1 };
        let most = self.retention.entries + usize::from(self.has(Flaw::KeepsOneMore));
        let sizes = disk
            .entries
            .values()
            .map(|entry| entry.content().size() as u64);
        let bytes = if self.has(Flaw::IgnoresBytes) {
            0
        } else {
            sizes.sum()
        };
        let now = time::unix_ms() + disk.ahead;
        let age = self.retention.age.as_millis() as i64;
        let too_old = disk
            .entries
            .values()
            .next()
            .is_some_and(|oldest| oldest.ts() + age <= now);
        disk.entries.len() > least
            && (disk.entries.len() > most
                || bytes > self.retention.bytes
                || too_old && !self.has(Flaw::IgnoresAge))
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
        let before = self.disk().last;
        if self.has(Flaw::TellsTooEarly) {
            self.told.send_replace(before.n() + entries.len() as u64);
            self.while_others_read(1).await;
        }
        self.disk().appending += 1;
        let positions = self.add(entries).await;
        yield_now().await;
        self.disk().appending -= 1;
        self.show(Some(before));
        self.tell().await;
        Ok(positions)
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

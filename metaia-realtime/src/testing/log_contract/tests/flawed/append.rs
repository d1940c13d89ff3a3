//! Appends of the naive log: inserting, showing to readers, notifying.

use tokio::task::yield_now;

use super::Flawed;
use crate::{
    NewEntry, Position,
    testing::log_contract::tests::{disk::Disk, flaw::Flaw},
    values::time,
};

impl Flawed {
    /// Appends as the flaw does it: inserts, shows, notifies.
    pub(super) async fn append_flawed(&self, entries: Vec<NewEntry>) -> Vec<Position> {
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
        positions
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

    /// Returns the entry as the flaw stores it.
    fn written(&self, new: NewEntry) -> NewEntry {
        match self.flaw {
            Flaw::Reformats => {
                let parsed = serde_json::from_str::<serde_json::Value>(new.payload().as_str());
                let text =
                    parsed.map_or(new.payload().as_str().to_owned(), |value| value.to_string());
                rewritten(&new, usize::MAX, new.name(), text)
            }
            Flaw::KeepsFewRooms => {
                rewritten(&new, 100, new.name(), new.payload().as_str().to_owned())
            }
            Flaw::MakesEventsOfRechecks if new.name() == "rt:recheck" => {
                rewritten(&new, usize::MAX, "recheck", "{}".to_owned())
            }
            Flaw::ForgetsWhomToDisconnect if new.name().starts_with("rt:disconnect") => {
                rewritten(&new, usize::MAX, new.name(), "{}".to_owned())
            }
            _ => new,
        }
    }

    /// Inserts the entries as the flaw does it, and returns their positions.
    async fn add(&self, entries: Vec<NewEntry>) -> Vec<Position> {
        match self.flaw {
            Flaw::InsertsOneByOne => self.insert_one_by_one(entries).await,
            Flaw::ShowsParts => {
                let _one = self.one.lock().await;
                self.insert_one_by_one(entries).await
            }
            Flaw::ReservesNumbers => self.reserve_then_insert(entries).await,
            Flaw::LooksForIdsBeforehand => {
                self.forget_ids_unless_known(&entries).await;
                self.insert_all(entries)
            }
            Flaw::CutsBatches => self.insert_cut(entries),
            _ => self.insert_all(entries),
        }
    }

    fn insert_all(&self, entries: Vec<NewEntry>) -> Vec<Position> {
        let mut disk = self.disk();
        entries
            .into_iter()
            .map(|new| self.push(&mut disk, new))
            .collect()
    }

    async fn insert_one_by_one(&self, entries: Vec<NewEntry>) -> Vec<Position> {
        let mut positions = Vec::new();
        for new in entries {
            positions.push(self.push(&mut self.disk(), new));
            self.show(None);
            yield_now().await;
        }
        positions
    }

    async fn reserve_then_insert(&self, entries: Vec<NewEntry>) -> Vec<Position> {
        let numbers: Vec<_> = entries.iter().map(|_| self.disk().reserve()).collect();
        // Later appends overtake some of the earlier ones.
        let is_slow = numbers.first().is_some_and(|n| n.is_multiple_of(3));
        if is_slow {
            self.while_others_read(20).await;
        }
        let mut disk = self.disk();
        let numbered = numbers.into_iter().zip(entries);
        numbered
            .map(|(n, new)| self.insert(&mut disk, n, new))
            .collect()
    }

    /// Looks for the ids first and acts on the result later, when it may be outdated.
    async fn forget_ids_unless_known(&self, entries: &[NewEntry]) {
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

    /// Inserts at most 1,000 entries, and returns positions for all.
    fn insert_cut(&self, mut entries: Vec<NewEntry>) -> Vec<Position> {
        if entries.len() <= 1_000 {
            return self.insert_all(entries);
        }
        let mut disk = self.disk();
        let numbered = (disk.last.n() + 1..).zip(&entries);
        let due = numbered
            .map(|(n, new)| Position::new(disk.epoch, n, new.id()))
            .collect();
        entries.truncate(1_000);
        for new in entries {
            self.push(&mut disk, new);
        }
        due
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
                if head.is_multiple_of(3) {
                    self.while_others_read(5).await;
                }
                self.told.send_replace(head);
            }
            _ => {
                self.told
                    .send_if_modified(|told| std::mem::replace(told, head.max(*told)) < head);
            }
        }
        for later in &*self.later.lock().unwrap() {
            later.send_replace(head);
        }
    }
}

/// Returns the entry with at most so many rooms, this name and this payload.
fn rewritten(new: &NewEntry, max_rooms: usize, name: &str, payload: String) -> NewEntry {
    let rooms = new.rooms().iter().take(max_rooms).map(ToString::to_string);
    NewEntry::stored(new.id(), rooms, name, payload).unwrap()
}

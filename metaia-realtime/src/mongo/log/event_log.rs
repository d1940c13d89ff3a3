//! What every log does: from memory where it reaches, else from the database.

use std::sync::Arc;

use tokio::sync::watch;

use super::{
    MongoLog,
    read::{self, Wanted, sound},
};
use crate::{
    NewEntry, Position, Room,
    log::{Entry, EventLog, Head, History, LogError, Page},
    mongo::{fault::Fault, row::Row},
    values::Epoch,
};

impl EventLog for MongoLog {
    async fn append(&self, entries: Vec<NewEntry>) -> Result<Vec<Position>, LogError> {
        if entries.is_empty() {
            return Ok(Vec::new());
        }
        self.appending.append(entries).await
    }

    async fn head(&self) -> Result<Head, LogError> {
        self.shared.look().await.map_err(Fault::unavailable)?;
        self.shared
            .with_tail(|tail| tail.head())
            .map_err(Fault::unavailable)
    }

    async fn read(
        &self,
        rooms: Option<&[Room]>,
        after: u64,
        limit: usize,
    ) -> Result<Page, LogError> {
        self.page(rooms, after, limit)
            .await
            .map_err(Fault::unavailable)
    }

    async fn history(&self, n: u64, rooms: &[Room], limit: usize) -> Result<History, LogError> {
        self.past(n, rooms, limit).await.map_err(Fault::unavailable)
    }

    fn changes(&self) -> watch::Receiver<u64> {
        self.shared.head.subscribe()
    }

    fn local_appends(&self) -> watch::Receiver<u64> {
        self.shared.own.subscribe()
    }

    fn wake(&self) {
        self.shared.wake();
    }
}

impl MongoLog {
    /// The tail is there, sooner or later.
    async fn begun(&self) -> Result<(), Fault> {
        if self.shared.lock().is_none() {
            self.shared.look().await?;
        }
        Ok(())
    }

    async fn page(&self, rooms: Option<&[Room]>, after: u64, limit: usize) -> Result<Page, Fault> {
        self.begun().await?;
        let mut suspect = None;
        loop {
            let (near, told) = self
                .shared
                .with_tail(|tail| (tail.page(rooms, after, limit), tail.head()))?;
            if let Some(page) = near {
                return Ok(page);
            }
            let (epoch, head) = (told.position.epoch(), told.position.n());
            let from = after.max(told.floor);
            let wanted = Wanted {
                after: from,
                upto: head,
                rooms: rooms.map(<[Room]>::to_vec),
                limit,
            };
            self.shared.count_read();
            let rows = read::entries(&self.shared.mongo, wanted).await?;
            let whole = rooms.is_some() || rows.len() == limit;
            let (entries, damaged) = match rooms {
                None => sound(rows, epoch, from),
                Some(_) => readable(rows, epoch),
            };
            let missing = !whole && entries.last().map_or(from, |entry| entry.n()) < head;
            if let Some(upto) = damaged.or(missing.then_some(head)) {
                // It may have been trimmed meanwhile, and is not missed then; or a new primary does
                // not show it yet.
                self.shared.look().await?;
                if suspect.replace((epoch, upto)) == Some((epoch, upto)) {
                    self.shared.give_up(epoch, upto)?;
                }
                continue;
            }
            let last = entries.last().map_or(after, |entry| entry.n());
            let scanned = if entries.len() == limit {
                last
            } else {
                after.max(head)
            };
            // Asked last: whatever was gone when it was read had been announced before.
            self.shared.look().await?;
            let (now, trimmed) = self
                .shared
                .with_tail(|tail| (tail.head().position, tail.trimmed(rooms)))?;
            if now.epoch() == epoch {
                return Ok(Page {
                    epoch,
                    entries,
                    scanned,
                    trimmed,
                });
            }
        }
    }

    async fn past(&self, n: u64, rooms: &[Room], limit: usize) -> Result<History, Fault> {
        self.begun().await?;
        let known = self.shared.with_tail(|tail| tail.head().position)?;
        if n > known.n() {
            self.shared.look().await?;
        }
        loop {
            let (near, told) = self
                .shared
                .with_tail(|tail| (tail.history(n, rooms, limit), tail.head()))?;
            if let Some(history) = near {
                return Ok(history);
            }
            let (head, from) = (told.position, n.max(told.floor));
            let one = Wanted {
                after: n.saturating_sub(1),
                upto: n.min(head.n()),
                rooms: None,
                limit: 1,
            };
            let following = Wanted {
                after: from,
                upto: head.n(),
                rooms: Some(rooms.to_vec()),
                limit,
            };
            self.shared.count_read();
            let rows = if n > told.floor {
                read::entries(&self.shared.mongo, one).await?
            } else {
                Vec::new()
            };
            let (entries, _) = sound(rows, head.epoch(), n.saturating_sub(1));
            let missed = read::count(&self.shared.mongo, following).await?;
            self.shared.look().await?;
            let (now, trimmed) = self
                .shared
                .with_tail(|tail| (tail.head().position, tail.trimmed(Some(rooms))))?;
            if now.epoch() == head.epoch() {
                let entry = entries.first().map(|entry| entry.content().id());
                return Ok(History {
                    head,
                    entry,
                    trimmed,
                    missed,
                });
            }
        }
    }
}

/// Rows as entries, and the last that is not as it was written.
fn readable(rows: Vec<Row>, epoch: Epoch) -> (Vec<Arc<Entry>>, Option<u64>) {
    let (mut entries, mut damaged) = (Vec::with_capacity(rows.len()), None);
    for row in rows {
        let n = row.n.cast_unsigned();
        match row.entry(epoch) {
            Ok(entry) => entries.push(entry),
            Err(_) => damaged = Some(n),
        }
    }
    (entries, damaged)
}

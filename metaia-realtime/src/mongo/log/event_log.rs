//! The log as every log: reads come from memory as far back as it reaches, and otherwise from the
//! database.

use std::sync::Arc;

use tokio::sync::watch;

use super::{
    MongoLog,
    decode::{Decoded, consecutive_entries, readable_entries},
    read::{self, EntryQuery},
};
use crate::{
    NewEntry, Position, Room,
    log::{Entry, EventLog, Head, History, LogError, Page},
    mongo::{fault::MongoFault, revocations::MongoRevocations},
    revocation::LogRevocations,
    values::EventId,
};

impl EventLog for MongoLog {
    async fn append(&self, entries: Vec<NewEntry>) -> Result<Vec<Position>, LogError> {
        if entries.is_empty() {
            return Ok(Vec::new());
        }
        self.appender.append(entries).await
    }

    async fn head(&self) -> Result<Head, LogError> {
        self.state
            .refresh()
            .await
            .map_err(MongoFault::unavailable)?;
        self.state
            .with_tail(|tail| tail.head())
            .map_err(MongoFault::unavailable)
    }

    async fn certain_head(&self) -> Result<Head, LogError> {
        self.try_certain_head()
            .await
            .map_err(MongoFault::unavailable)
    }

    async fn read(
        &self,
        rooms: Option<&[Room]>,
        after: u64,
        limit: usize,
    ) -> Result<Page, LogError> {
        self.try_read(rooms, after, limit)
            .await
            .map_err(MongoFault::unavailable)
    }

    async fn history(&self, n: u64, rooms: &[Room], limit: usize) -> Result<History, LogError> {
        self.try_history(n, rooms, limit)
            .await
            .map_err(MongoFault::unavailable)
    }

    fn changes(&self) -> watch::Receiver<u64> {
        self.state.changes.subscribe()
    }

    fn local_appends(&self) -> watch::Receiver<u64> {
        self.state.local_appends.subscribe()
    }

    fn wake(&self) {
        self.state.request_refresh();
    }

    fn revocations(&self) -> Option<LogRevocations> {
        Some(LogRevocations::new(MongoRevocations::new(
            &self.state.mongo,
        )))
    }

    fn name(&self) -> &'static str {
        "mongodb"
    }
}

/// A page from the database.
struct MongoPage {
    entries: Vec<Arc<Entry>>,
    scanned: u64,
    /// The last number at which an entry is missing or cannot be read.
    damaged: Option<u64>,
}

impl MongoLog {
    /// Waits until the tail is loaded.
    async fn load_tail(&self) -> Result<(), MongoFault> {
        let is_loaded = self.state.tail.lock().is_some();
        if !is_loaded {
            self.state.refresh().await?;
        }
        Ok(())
    }

    async fn try_certain_head(&self) -> Result<Head, MongoFault> {
        self.load_tail().await?;
        self.state.reach_certain_head().await?;
        self.state.with_tail(|tail| tail.head())
    }

    async fn try_read(
        &self,
        rooms: Option<&[Room]>,
        after: u64,
        limit: usize,
    ) -> Result<Page, MongoFault> {
        self.load_tail().await?;
        let mut suspect = None;
        loop {
            let (in_memory, head) = self
                .state
                .with_tail(|tail| (tail.page(rooms, after, limit), tail.head()))?;
            if let Some(page) = in_memory {
                return Ok(page);
            }
            let epoch = head.position.epoch();
            let stored = self.read_stored(rooms, after, limit, head).await?;
            if let Some(upto) = stored.damaged {
                // The first time the entries may have been trimmed in the meantime, or not be
                // visible on a new primary yet. The second time they are given up.
                self.state.refresh().await?;
                if suspect == Some((epoch, upto)) {
                    self.state.give_up_entries(epoch, upto)?;
                }
                suspect = Some((epoch, upto));
                continue;
            }
            // After the read: what was missing in it was marked as trimmed before it.
            self.state.refresh().await?;
            let (now, trimmed) = self
                .state
                .with_tail(|tail| (tail.head(), tail.trimmed(rooms)))?;
            // A read is no snapshot: a trim may have deleted later entries of the page and left
            // earlier ones. Such a page is read again, from the new floor on. A page of all rooms
            // cannot have such a gap, see `read_stored`.
            let first = stored.entries.first().map(|entry| entry.n());
            let is_torn = rooms.is_some() && first.is_some_and(|first| first <= now.floor);
            if now.position.epoch() == epoch && !is_torn {
                return Ok(Page {
                    epoch,
                    entries: stored.entries,
                    scanned: stored.scanned,
                    trimmed,
                });
            }
        }
    }

    /// Reads a page from the database, of a log that begins and ends as `head`.
    async fn read_stored(
        &self,
        rooms: Option<&[Room]>,
        after: u64,
        limit: usize,
        head: Head,
    ) -> Result<MongoPage, MongoFault> {
        let end = head.position.n();
        let from = after.max(head.floor);
        let query = EntryQuery {
            after: from,
            upto: end,
            rooms: rooms.map(<[Room]>::to_vec),
            limit,
        };
        self.state.count_read();
        let rows = read::entries(&self.state.mongo, query).await?;
        // Without a filter and a limit that cuts it off, a page reaches to the end of the log.
        let must_reach_end = rooms.is_none() && rows.len() != limit;
        let decoded = match rooms {
            None => consecutive_entries(rows, head.position.epoch(), from),
            Some(_) => readable_entries(rows, head.position.epoch()),
        };
        let Decoded { entries, damaged } = decoded;
        let last = entries.last().map(|entry| entry.n());
        let is_cut_short = must_reach_end && last.unwrap_or(from) < end;
        let damaged = match damaged {
            None if is_cut_short => Some(end),
            damaged => damaged,
        };
        let scanned = if entries.len() == limit {
            last.unwrap_or(after)
        } else {
            after.max(end)
        };
        Ok(MongoPage {
            entries,
            scanned,
            damaged,
        })
    }

    async fn try_history(
        &self,
        n: u64,
        rooms: &[Room],
        limit: usize,
    ) -> Result<History, MongoFault> {
        self.load_tail().await?;
        self.state.reach(n).await?;
        loop {
            let (in_memory, head) = self
                .state
                .with_tail(|tail| (tail.history(n, rooms, limit), tail.head()))?;
            if let Some(history) = in_memory {
                return Ok(history);
            }
            self.state.count_read();
            let entry = self.read_id(n, head).await?;
            let following = EntryQuery {
                after: n.max(head.floor),
                upto: head.position.n(),
                rooms: Some(rooms.to_vec()),
                limit,
            };
            let missed = read::count(&self.state.mongo, following).await?;
            // After the reads: what was missing in them was marked as trimmed before them.
            self.state.refresh().await?;
            let (now, trimmed) = self
                .state
                .with_tail(|tail| (tail.head().position, tail.trimmed(Some(rooms))))?;
            if now.epoch() == head.position.epoch() {
                return Ok(History {
                    head: head.position,
                    entry,
                    trimmed,
                    missed,
                });
            }
        }
    }

    /// Reads the id of entry `n`; `None` if the log does not have it any more.
    async fn read_id(&self, n: u64, head: Head) -> Result<Option<EventId>, MongoFault> {
        if n <= head.floor {
            return Ok(None);
        }
        let before = n.saturating_sub(1);
        let query = EntryQuery {
            after: before,
            upto: n.min(head.position.n()),
            rooms: None,
            limit: 1,
        };
        let rows = read::entries(&self.state.mongo, query).await?;
        let decoded = consecutive_entries(rows, head.position.epoch(), before);
        let entry = decoded.entries.first();
        Ok(entry.map(|entry| entry.content().id()))
    }
}

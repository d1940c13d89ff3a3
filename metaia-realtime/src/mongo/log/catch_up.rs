//! Catching up: the tail in memory takes in the entries up to the head.

use std::{collections::HashMap, sync::atomic::Ordering::Relaxed};

use super::{
    decode::{Decoded, consecutive_entries},
    read::{self, EntryQuery},
    state::MongoLogState,
};
use crate::{
    log::{
        Head,
        tail::{BYTES, ENTRIES, Tail},
        trimmed::Trimmed,
    },
    mongo::{fault::MongoFault, head::HeadRecord, row::Row},
    values::Epoch,
};

/// The number of entries per read.
const PAGE: usize = 256;

impl MongoLogState {
    /// Takes in the entries up to the head. Returns false if the database no longer has what this
    /// node has seen: then the head must be read again.
    pub(super) async fn catch_up(&self, head: &HeadRecord) -> Result<bool, MongoFault> {
        let known = self.tail.lock().as_ref().map(Tail::head);
        match known {
            Some(known) if known.position.epoch() == head.version.epoch => {
                self.extend_tail(known, head).await
            }
            Some(_) | None => {
                self.load_tail(head).await?;
                Ok(true)
            }
        }
    }

    /// Replaces the tail by one of the last entries, for a log or an epoch that is new to this
    /// node.
    async fn load_tail(&self, head: &HeadRecord) -> Result<(), MongoFault> {
        let trimmed = self.read_trimmed(head).await?;
        let n = head.version.n;
        let query = EntryQuery {
            after: head.floor.max(n.saturating_sub(ENTRIES as u64)),
            upto: n,
            rooms: None,
            limit: ENTRIES,
        };
        let mut rows = read::last_entries(&self.mongo, query, BYTES).await?;
        rows.reverse();
        let first = rows.first().and_then(Row::identity);
        let before_first = first.map(|(first, _)| first - 1);
        let Decoded { entries, damaged } =
            consecutive_entries(rows, head.version.epoch, before_first.unwrap_or(n));
        let mut tail = Tail::new(head.head(), trimmed).stored(head.bytes);
        tail.fill(&entries);
        tail.lose(head.lost);
        if damaged.is_some() {
            give_up(&mut tail, damaged);
        } else if before_first.is_none() && n > head.floor {
            // There must be entries, and there is none.
            give_up(&mut tail, Some(n));
        }
        let replaced = self.tail.lock().replace(tail);
        if replaced.is_some() {
            // A new epoch: followers are notified though the number may be lower than before.
            self.changes.send_replace(n);
            self.local_appends.send_replace(0);
        }
        self.notify_followers();
        Ok(())
    }

    async fn read_trimmed(&self, head: &HeadRecord) -> Result<Trimmed, MongoFault> {
        let mut trimmed = Trimmed::from_marks(HashMap::new(), head.others);
        for (room, n) in read::marks(&self.mongo, 0).await? {
            // Marks rise before the floor: see `trim`.
            trimmed.mark(&room, n.min(head.floor));
        }
        Ok(trimmed)
    }

    /// Extends the tail by the entries that follow it.
    async fn extend_tail(&self, known: Head, head: &HeadRecord) -> Result<bool, MongoFault> {
        if head.floor > known.floor {
            self.raise_floor_of_tail(known.floor, head).await?;
        }
        if known.position == head.version.position() {
            return Ok(true);
        }
        let mut after = first_to_read(known.position.n(), head);
        while after < head.version.n {
            let query = EntryQuery {
                after,
                upto: head.version.n,
                rooms: None,
                limit: PAGE,
            };
            let rows = read::entries(&self.mongo, query).await?;
            let Some((last, _)) = rows.last().and_then(Row::identity) else {
                return self.retry_or_reload(head).await;
            };
            if !self.extend_by_page(rows, after, known, head).await? {
                return Ok(false);
            }
            after = last.max(after + 1);
        }
        Ok(true)
    }

    async fn raise_floor_of_tail(
        &self,
        known_floor: u64,
        head: &HeadRecord,
    ) -> Result<(), MongoFault> {
        let marks = read::marks(&self.mongo, known_floor).await?;
        self.with_tail(|tail| {
            for (room, n) in &marks {
                tail.mark(room, head.floor.min(*n));
            }
            tail.raise_others(head.others);
            tail.raise_floor(head.floor);
            tail.lose(head.lost);
            tail.set_stored(head.bytes);
        })
    }

    /// Handles a page without a readable row at its end. The first time the head is read again: the
    /// entries may have been trimmed, or not be visible on a new primary yet. The second time the
    /// tail is replaced, which gives up the missing entries.
    async fn retry_or_reload(&self, head: &HeadRecord) -> Result<bool, MongoFault> {
        let n = head.version.n;
        if self.suspect.swap(n, Relaxed) != n {
            return Ok(false);
        }
        self.load_tail(head).await?;
        Ok(true)
    }

    /// Extends the tail by the rows after `after`.
    async fn extend_by_page(
        &self,
        rows: Vec<Row>,
        after: u64,
        known: Head,
        head: &HeadRecord,
    ) -> Result<bool, MongoFault> {
        let Decoded { entries, damaged } = consecutive_entries(rows, head.version.epoch, after);
        if let Some(upto) = damaged {
            // Trimmed in the meantime, or missing for the first time: read the head again.
            if self.is_trimmed(upto).await? || self.suspect.swap(upto, Relaxed) != upto {
                return Ok(false);
            }
        }
        let again = entries.iter().find(|entry| entry.n() == known.position.n());
        if again.is_some_and(|entry| entry.position() != known.position) {
            // Another entry has the number of the last known one.
            self.begin_epoch(head).await?;
            return Ok(false);
        }
        self.with_tail(|tail| {
            tail.feed(&entries);
            give_up(tail, damaged);
        })?;
        self.notify_followers();
        Ok(true)
    }

    /// Counts the entries up to `n` of an epoch as trimmed, since they cannot be read.
    pub(super) fn give_up_entries(&self, epoch: Epoch, n: u64) -> Result<(), MongoFault> {
        self.with_tail(|tail| {
            let head = tail.head();
            if n > head.floor && head.position.epoch() == epoch {
                give_up(tail, Some(n.min(head.position.n())));
            }
        })
    }

    /// Returns true if missing entries up to `upto` were trimmed in the meantime.
    pub(super) async fn is_trimmed(&self, upto: u64) -> Result<bool, MongoFault> {
        let concern = self.mongo.known_deployment().await?.read_concern();
        let head = read::head(&self.mongo, concern).await?;
        Ok(head.is_none_or(|head| head.floor >= upto))
    }
}

/// Returns the number after which to read, if entry `n` is the last known one. That entry is read
/// again, since another one may have its number now.
fn first_to_read(n: u64, head: &HeadRecord) -> u64 {
    // The tail does not hold more entries.
    let oldest = head.version.n.saturating_sub(ENTRIES as u64);
    n.saturating_sub(1).max(oldest).max(head.floor)
}

/// Counts the entries up to the damage as trimmed.
fn give_up(tail: &mut Tail, damaged: Option<u64>) {
    let Some(upto) = damaged else {
        return;
    };
    if tail.lose(upto) {
        tracing::error!(
            upto,
            "the log in MongoDB is damaged: entries up to this number are given up, and clients \
             that need them are told to reload"
        );
    }
}

//! Trimming: deletes the entries beyond the retention, oldest first, one batch per write.
//!
//! The floor and the marks of the rooms rise in memory before an entry is deleted, and in the
//! database together with the deletion. So readers learn of a gap before it exists, and a failed
//! write causes at most a reset that was not needed.

use std::{
    collections::HashMap,
    error::Error,
    sync::{Arc, Weak},
    time::Duration,
};

use rusqlite::{Connection, params};
use tokio_util::sync::CancellationToken;

use super::{
    fault::{AppendError, write_failed},
    marks,
    meta::Meta,
    rooms,
    row::{self, COLUMNS},
    state::SqliteLogState,
};
use crate::{
    Room, crash_points,
    log::{Entry, LogError, Retention},
    values::time,
};

/// Most entries deleted in one write: other writes wait a few milliseconds behind it.
const BATCH: u32 = 64;

/// The interval of the check for entries that have become too old.
const CHECK_INTERVAL: Duration = Duration::from_secs(60);

/// Trims when the log is crowded or an interval is over, until the log is closed or dropped.
pub(super) async fn run(log: Weak<SqliteLogState>, closing: CancellationToken) {
    let Some(crowded) = log.upgrade().map(|log| Arc::clone(&log.crowded)) else {
        return;
    };
    loop {
        tokio::select! {
            () = closing.cancelled() => return,
            () = crowded.notified() => {}
            () = tokio::time::sleep(CHECK_INTERVAL) => {}
        }
        let Some(log) = log.upgrade() else { return };
        let trimmed = tokio::select! {
            () = closing.cancelled() => return,
            trimmed = log.trim() => trimmed,
        };
        if let Err(error) = trimmed {
            let error = &error as &dyn Error;
            tracing::warn!(error, "the log cannot be trimmed; trying again");
        }
    }
}

impl SqliteLogState {
    /// Deletes the entries beyond the retention, and returns their number.
    pub(super) async fn trim(self: &Arc<Self>) -> Result<u64, LogError> {
        let mut total = 0;
        loop {
            let log = Arc::clone(self);
            let expired = self.newest_expired_ts();
            let batch = self.writer.write(move |db| {
                let batch = TrimBatch::plan(db, &log, expired)?;
                batch.delete(db, &log)
            });
            let deleted = batch.await.map_err(write_failed)?;
            total += u64::from(deleted);
            if deleted < BATCH {
                return Ok(total);
            }
        }
    }

    /// Returns the time, in ms since the Unix epoch, up to which entries are too old.
    fn newest_expired_ts(&self) -> i64 {
        let age = i64::try_from(self.retention.age.as_millis()).unwrap_or(i64::MAX);
        time::unix_ms().saturating_sub(age)
    }
}

/// The entries that one write deletes.
struct TrimBatch {
    /// The meta row as it is after the deletion, with the exception of `floor` and `lost`.
    meta: Meta,
    /// The number of the last entry of the batch.
    last: u64,
    entries: Vec<Arc<Entry>>,
    /// Rows to delete, damaged ones included.
    rows: u32,
    /// The last number with a damaged or missing row.
    damaged: Option<u64>,
}

impl TrimBatch {
    fn plan(db: &Connection, log: &SqliteLogState, expired: i64) -> Result<Self, AppendError> {
        let meta = Meta::read(db)?;
        let mut batch = Self {
            last: meta.floor,
            meta,
            entries: Vec::new(),
            rows: 0,
            damaged: None,
        };
        let sql = format!("SELECT {COLUMNS} FROM rt_entry ORDER BY n LIMIT ?1");
        let mut statement = db.prepare_cached(&sql)?;
        let mut rows = statement.query([BATCH])?;
        while let Some(row) = rows.next()? {
            let n = row.get::<_, i64>(0)?.cast_unsigned();
            let entry = row::read(row, batch.meta.epoch);
            // The time of a damaged row is not known: it counts as expired.
            let ts = entry.as_ref().map_or(i64::MIN, |entry| entry.ts());
            if !batch.is_due(&log.retention, n, ts, expired) {
                break;
            }
            batch.add(n, entry);
        }
        Ok(batch)
    }

    fn is_due(&self, retention: &Retention, n: u64, ts: i64, expired: i64) -> bool {
        if n <= self.meta.floor {
            return true;
        }
        // The last entry is never deleted.
        if n >= self.meta.head {
            return false;
        }
        let kept = self.meta.head - n + 1;
        kept > retention.entries as u64 || self.meta.bytes > retention.bytes || ts <= expired
    }

    fn add(&mut self, n: u64, entry: Option<Arc<Entry>>) {
        // The rooms of a damaged or missing row are not known: it could have been in any.
        if n > self.last + 1 {
            self.damaged = Some(n - 1);
        }
        match entry {
            Some(entry) => {
                let size = entry.content().size() as u64;
                self.meta.bytes = self.meta.bytes.saturating_sub(size);
                self.entries.push(entry);
            }
            None if n > self.meta.floor => self.damaged = Some(n),
            // Damage up to the floor was given up before.
            None => {}
        }
        self.last = self.last.max(n);
        self.rows += 1;
    }

    /// Deletes the batch, and returns the number of its rows.
    fn delete(mut self, db: &Connection, log: &SqliteLogState) -> Result<u32, AppendError> {
        if self.rows == 0 {
            return Ok(0);
        }
        self.raise_marks(log);
        for entry in &self.entries {
            for room in entry.content().rooms() {
                rooms::unlink(db, room, entry.n())?;
            }
        }
        let last_by_room = self.last_by_room();
        marks::raise(db, &mut self.meta, &last_by_room)?;
        marks::merge(db, &mut self.meta, log.tail.lock().others())?;
        let sql = "DELETE FROM rt_entry WHERE n IN
            (SELECT n FROM rt_entry WHERE n <= ?1 ORDER BY n LIMIT ?2)";
        db.prepare_cached(sql)?
            .execute(params![self.last.cast_signed(), BATCH])?;
        crash_points::point("mid-trim");
        self.meta.floor = self.meta.floor.max(self.last);
        self.meta.lost = self.meta.lost.max(self.damaged.unwrap_or(0));
        self.meta.write(db)?;
        Ok(self.rows)
    }

    /// Raises the marks in memory, before anything is deleted.
    fn raise_marks(&self, log: &SqliteLogState) {
        let mut tail = log.tail.lock();
        for entry in &self.entries {
            tail.trim(entry);
        }
        tail.set_stored(self.meta.bytes);
        let newly_lost = self.damaged.filter(|n| tail.lose(*n));
        drop(tail);
        if let Some(n) = newly_lost {
            log.log_damage(n, "an entry that was to be trimmed is not what was written");
        }
    }

    /// Returns the number of the last entry of the batch in each room.
    fn last_by_room(&self) -> HashMap<Room, u64> {
        let mut last = HashMap::new();
        for entry in &self.entries {
            for room in entry.content().rooms() {
                // The entries are in order, so a later one replaces an earlier one.
                last.insert(room.clone(), entry.n());
            }
        }
        last
    }
}

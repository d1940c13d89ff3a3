//! Trimming: what is beyond the retention goes, oldest first, a batch per write.
//!
//! The floor and the marks of the rooms rise in memory before anything is deleted, and in the
//! database together with it. So a reader is told of a hole before there is one, and a write that
//! fails leaves nothing worse than a reset too many.

use std::{
    collections::HashMap,
    sync::{Arc, Weak},
    time::Duration,
};

use rusqlite::{Connection, params};
use tokio_util::sync::CancellationToken;

use super::{
    Shared,
    fault::{AppendError, of_write},
    marks,
    meta::Meta,
    rooms,
    row::{self, COLUMNS},
};
use crate::{
    Room, crash_points,
    log::{Entry, LogError, Retention},
    values::time,
};

/// Most entries deleted in one write: a few milliseconds for those who wait behind it.
const BATCH: u32 = 64;

/// How often is looked for what has become too old.
const INTERVAL: Duration = Duration::from_secs(60);

/// Trims when there is something to do, until the log is closed or dropped.
pub(super) async fn keep(log: Weak<Shared>, closing: CancellationToken) {
    let Some(crowded) = log.upgrade().map(|log| Arc::clone(&log.crowded)) else {
        return;
    };
    loop {
        tokio::select! {
            () = closing.cancelled() => return,
            () = crowded.notified() => {}
            () = tokio::time::sleep(INTERVAL) => {}
        }
        let Some(log) = log.upgrade() else { return };
        tokio::select! {
            () = closing.cancelled() => return,
            trimmed = log.trim() => if let Err(error) = trimmed {
                tracing::warn!(error = &error as &dyn std::error::Error, "the log cannot be trimmed; trying again");
            }
        }
    }
}

impl Shared {
    pub(super) async fn trim(self: &Arc<Self>) -> Result<u64, LogError> {
        let mut total = 0;
        loop {
            let (log, oldest) = (Arc::clone(self), self.oldest());
            let batch = self
                .writer
                .write(move |db| Batch::plan(db, &log, oldest)?.delete(db, &log));
            let deleted = batch.await.map_err(of_write)?;
            total += u64::from(deleted);
            if deleted < BATCH {
                return Ok(total);
            }
        }
    }

    /// What was committed then, in ms since the Unix epoch, or before is too old.
    fn oldest(&self) -> i64 {
        let age = i64::try_from(self.retention.age.as_millis()).unwrap_or(i64::MAX);
        time::unix_ms().saturating_sub(age)
    }
}

/// What goes in one write.
struct Batch {
    meta: Meta,
    last: u64,
    entries: Vec<Arc<Entry>>,
    /// Rows that are there, or should be.
    rows: u32,
    damaged: Option<u64>,
}

impl Batch {
    fn plan(db: &Connection, log: &Shared, oldest: i64) -> Result<Self, AppendError> {
        let meta = Meta::read(db)?;
        let mut batch = Self {
            last: meta.floor,
            meta,
            entries: Vec::new(),
            rows: 0,
            damaged: None,
        };
        let mut statement = db.prepare_cached(&format!(
            "SELECT {COLUMNS} FROM rt_entry ORDER BY n LIMIT ?1"
        ))?;
        let mut rows = statement.query([BATCH])?;
        while let Some(row) = rows.next()? {
            let n = row.get::<_, i64>(0)?.cast_unsigned();
            let entry = row::read(row, batch.meta.epoch);
            // A damaged one keeps nobody waiting for its time.
            let ts = entry.as_ref().map_or(i64::MIN, |entry| entry.ts());
            if !batch.goes(&log.retention, n, ts, oldest) {
                break;
            }
            batch.take(n, entry);
        }
        Ok(batch)
    }

    fn goes(&self, retention: &Retention, n: u64, ts: i64, oldest: i64) -> bool {
        if n <= self.meta.floor {
            return true;
        }
        let kept = self.meta.head.saturating_sub(n) + 1;
        let beyond =
            kept > retention.entries as u64 || self.meta.bytes > retention.bytes || ts <= oldest;
        n < self.meta.head && beyond
    }

    fn take(&mut self, n: u64, entry: Option<Arc<Entry>>) {
        // What was in a row that is damaged or gone is not known: it could have been for anybody.
        if n > self.last + 1 {
            self.damaged = Some(n - 1);
        }
        match entry {
            Some(entry) => {
                self.meta.bytes = self
                    .meta
                    .bytes
                    .saturating_sub(entry.content().size() as u64);
                self.entries.push(entry);
            }
            None if n > self.meta.floor => self.damaged = Some(n),
            // That is known already.
            None => {}
        }
        self.last = self.last.max(n);
        self.rows += 1;
    }

    fn delete(mut self, db: &Connection, log: &Shared) -> Result<u32, AppendError> {
        if self.rows == 0 {
            return Ok(0);
        }
        self.announce(log);
        for entry in &self.entries {
            for room in entry.content().rooms() {
                rooms::unlink(db, room, entry.n())?;
            }
        }
        let known = self.known();
        marks::raise(db, &mut self.meta, &known)?;
        marks::merge(db, &mut self.meta, log.tail().others())?;
        let sql = "DELETE FROM rt_entry WHERE n IN (SELECT n FROM rt_entry WHERE n <= ?1 ORDER BY n LIMIT ?2)";
        db.prepare_cached(sql)?
            .execute(params![self.last.cast_signed(), BATCH])?;
        crash_points::point("mid-trim");
        self.meta.floor = self.meta.floor.max(self.last);
        self.meta.lost = self.meta.lost.max(self.damaged.unwrap_or(0));
        self.meta.write(db)?;
        Ok(self.rows)
    }

    /// Tells the readers, before anything goes.
    fn announce(&self, log: &Shared) {
        let mut tail = log.tail();
        for entry in &self.entries {
            tail.trim(entry);
        }
        tail.set_stored(self.meta.bytes);
        let lost = self.damaged.filter(|n| tail.lose(*n));
        drop(tail);
        if let Some(n) = lost {
            log.tell_of_damage(n, "an entry that was to be trimmed is not what was written");
        }
    }

    /// The last entry of each room that goes.
    fn known(&self) -> HashMap<Room, u64> {
        let rooms = self.entries.iter().flat_map(|entry| {
            entry
                .content()
                .rooms()
                .iter()
                .map(|room| (room.clone(), entry.n()))
        });
        rooms.collect()
    }
}

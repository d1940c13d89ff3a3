//! Trimming: entries beyond the retention are removed, oldest first, one batch at a time.
//!
//! The marks of the rooms rise before the floor, and the floor before anything is deleted; each
//! step is known to a majority before the next. So a reader on any node that misses an entry finds
//! that it was trimmed. Several nodes may trim at the same time.

use std::{
    collections::HashMap,
    sync::{Arc, Weak},
    time::Duration,
};

use mongodb::bson::{Bson, Document, doc};
use tokio_util::sync::CancellationToken;

use super::{
    decode::{Decoded, consecutive_entries},
    read::{self, EntryQuery, MARKS},
    state::MongoLogState,
};
use crate::{
    Room, crash_points,
    log::{Entry, Retention},
    mongo::{
        bson::from_number,
        collection,
        fault::MongoFault,
        head::{HEAD, HeadRecord, KEY},
        options::OPERATION_TIMEOUT,
        row::ENTRIES,
    },
    values::time,
};

/// The most entries that are removed at a time.
const BATCH: usize = 512;

/// The most marks in one command.
const MARKS_PER_COMMAND: usize = 1_000;

/// The pause between two checks of the age of entries. The size is checked with each append.
const INTERVAL: Duration = Duration::from_secs(60);

/// The pause after a failure.
const RETRY_PAUSE: Duration = Duration::from_secs(1);

/// Trims when the log is beyond its retention, until it is closed or dropped.
pub(super) async fn trim_when_needed(log: Weak<MongoLogState>, closing: CancellationToken) {
    loop {
        let Some(state) = log.upgrade() else {
            return;
        };
        tokio::select! {
            () = closing.cancelled() => return,
            () = state.over_retention.notified() => {}
            () = tokio::time::sleep(INTERVAL) => {}
        }
        let trimmed = tokio::select! {
            () = closing.cancelled() => return,
            trimmed = state.trim() => trimmed,
        };
        if let Err(fault) = trimmed {
            tracing::warn!(
                error = &fault as &dyn std::error::Error,
                "the log cannot be trimmed; trying again later"
            );
            tokio::time::sleep(RETRY_PAUSE).await;
        }
    }
}

/// The oldest entries of a log, which are about to be removed.
struct Removal<'a> {
    entries: &'a [Arc<Entry>],
    /// The number of the last one.
    last: u64,
    /// The last number of entries that are missing or cannot be read; 0 if there are none.
    lost: u64,
}

impl MongoLogState {
    /// Removes entries beyond the retention, and returns their number.
    pub(super) async fn trim(&self) -> Result<u64, MongoFault> {
        let mut total = 0;
        loop {
            let head = self.refresh().await?;
            let query = EntryQuery {
                after: head.floor,
                // The last entry always stays.
                upto: head.version.n.saturating_sub(1),
                rooms: None,
                limit: BATCH,
            };
            let rows = read::entries(&self.mongo, query).await?;
            let Decoded { entries, damaged } =
                consecutive_entries(rows, head.version.epoch, head.floor);
            if let Some(upto) = damaged
                && self.is_trimmed(upto).await?
            {
                continue;
            }
            let expired = expired(&entries, &head, &self.retention, time::unix_ms());
            let Some(last) = expired.last().map(|entry| entry.n()).or(damaged) else {
                return Ok(total);
            };
            let removal = Removal {
                entries: expired,
                last,
                lost: damaged.unwrap_or(0),
            };
            self.remove(&head, &removal).await?;
            total += expired.len() as u64;
            let some_stay = expired.len() < entries.len();
            let is_short_batch = expired.len() < BATCH && damaged.is_none();
            if some_stay || is_short_batch {
                return Ok(total);
            }
        }
    }

    async fn remove(&self, head: &HeadRecord, removal: &Removal<'_>) -> Result<(), MongoFault> {
        let others = self.with_tail(|tail| {
            // The rooms of an entry that cannot be read are not known: it counts for all of them.
            tail.lose(removal.lost);
            for entry in removal.entries {
                tail.trim(entry);
            }
            tail.raise_floor(removal.last);
            tail.others()
        })?;
        self.raise_marks(removal.entries).await?;
        crash_points::point("mongo-trim-marks");
        if !self.raise_floor(head, removal, others).await? {
            // Another node was faster, and deletes them.
            return Ok(());
        }
        crash_points::point("mongo-trim-floor");
        self.delete(removal.last, others).await
    }

    async fn raise_marks(&self, entries: &[Arc<Entry>]) -> Result<(), MongoFault> {
        let mut marks: HashMap<&Room, u64> = HashMap::new();
        for entry in entries {
            for room in entry.content().rooms() {
                marks.insert(room, entry.n());
            }
        }
        let mut updates: Vec<Bson> = Vec::with_capacity(marks.len());
        for (room, n) in marks {
            let update = doc! { "$max": { "n": from_number(n) } };
            let statement = doc! { "q": { "_id": room.to_string() }, "u": update, "upsert": true };
            updates.push(statement.into());
        }
        for updates in updates.chunks(MARKS_PER_COMMAND) {
            self.run_durably(doc! { "update": MARKS, "updates": updates, "ordered": false })
                .await?;
        }
        Ok(())
    }

    /// Raises the floor to the last entry of the removal. Returns false if the floor is no longer
    /// where it was.
    async fn raise_floor(
        &self,
        head: &HeadRecord,
        removal: &Removal<'_>,
        others: u64,
    ) -> Result<bool, MongoFault> {
        let bytes: u64 = removal
            .entries
            .iter()
            .map(|entry| entry.content().size() as u64)
            .sum();
        let filter = doc! {
            "_id": KEY,
            "epoch": head.version.epoch.to_bits().cast_signed(),
            "floor": from_number(head.floor),
        };
        let update = doc! {
            "$set": { "floor": from_number(removal.last) },
            "$max": { "others": from_number(others), "lost": from_number(removal.lost) },
            "$inc": { "bytes": -from_number(bytes) },
        };
        let statement = doc! { "q": filter, "u": update };
        let reply = self
            .run_durably(doc! { "update": HEAD, "updates": [statement] })
            .await?;
        Ok(reply.get_i32("n").is_ok_and(|n| n == 1))
    }

    /// Deletes the entries up to `last`, and the marks that `others` stands for.
    async fn delete(&self, last: u64, others: u64) -> Result<(), MongoFault> {
        let statement = doc! { "q": { "_id": { "$lte": from_number(last) } }, "limit": 0 };
        self.run_durably(doc! { "delete": ENTRIES, "deletes": [statement] })
            .await?;
        if others > 0 {
            let statement = doc! { "q": { "n": { "$lte": from_number(others) } }, "limit": 0 };
            self.run_durably(doc! { "delete": MARKS, "deletes": [statement] })
                .await?;
        }
        Ok(())
    }

    /// Runs a command, and returns its reply when a majority has carried it out.
    async fn run_durably(&self, mut command: Document) -> Result<Document, MongoFault> {
        let concern = self.mongo.known_deployment().await?.write_concern();
        let concern = mongodb::bson::serialize_to_bson(&concern)
            .map_err(|_| MongoFault::Impossible("the write concern cannot be encoded"))?;
        let limit = i64::try_from(OPERATION_TIMEOUT.as_millis()).unwrap_or(i64::MAX);
        command.insert("writeConcern", concern);
        command.insert("maxTimeMS", limit);
        let database = self.mongo.database().clone();
        let work = async move { database.run_command(command).await };
        let reply = self.mongo.run(OPERATION_TIMEOUT, work).await?;
        if !collection::is_complete(&reply) {
            return Err(MongoFault::Impossible(
                "the database has carried out only a part of a command",
            ));
        }
        Ok(reply)
    }
}

/// Returns the entries beyond the retention, of the oldest ones of the log.
fn expired<'a>(
    entries: &'a [Arc<Entry>],
    head: &HeadRecord,
    retention: &Retention,
    now: i64,
) -> &'a [Arc<Entry>] {
    let max_age = i64::try_from(retention.age.as_millis()).unwrap_or(i64::MAX);
    let oldest = now.saturating_sub(max_age);
    let mut bytes = head.bytes;
    let mut count = 0;
    for entry in entries {
        // The entries that the log has from this one on.
        let kept = head.version.n - entry.n() + 1;
        let is_over_size = kept > retention.entries as u64 || bytes > retention.bytes;
        if !is_over_size && entry.ts() > oldest {
            break;
        }
        bytes = bytes.saturating_sub(entry.content().size() as u64);
        count += 1;
    }
    &entries[..count]
}

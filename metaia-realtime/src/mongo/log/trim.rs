//! Trimming: what is beyond the retention goes, oldest first, a batch at a time.
//!
//! The marks of the rooms rise before the floor, and the floor before anything is deleted, each as
//! a majority has it: so whoever misses an entry, on whatever node, finds that it was trimmed. Who
//! trims at the same time does no harm.

use std::{
    collections::HashMap,
    sync::{Arc, Weak},
    time::Duration,
};

use mongodb::bson::{Bson, Document, doc};
use tokio_util::sync::CancellationToken;

use super::{
    read::{self, MARKS, Wanted, signed, sound},
    state::Shared,
};
use crate::{
    Room, crash_points,
    log::{Entry, Retention},
    mongo::{
        Mongo,
        fault::Fault,
        handle::PATIENCE,
        head::{HEAD, HeadRecord, KEY},
        row::ENTRIES,
    },
    values::time,
};

/// Most entries that go at a time.
const BATCH: usize = 512;

/// How often is looked for what has become too old.
const INTERVAL: Duration = Duration::from_secs(60);

/// Trims when there is something to do, until the log is closed or dropped.
pub(super) async fn keep(log: Weak<Shared>, closing: CancellationToken) {
    loop {
        let Some(shared) = log.upgrade() else { return };
        tokio::select! {
            () = closing.cancelled() => return,
            () = shared.crowded.notified() => {}
            () = tokio::time::sleep(INTERVAL) => {}
        }
        tokio::select! {
            () = closing.cancelled() => return,
            trimmed = shared.trim() => if let Err(fault) = trimmed {
                tracing::warn!(error = &fault as &dyn std::error::Error, "the log cannot be trimmed; trying again later");
                tokio::time::sleep(Duration::from_secs(1)).await;
            }
        }
    }
}

impl Shared {
    pub(super) async fn trim(&self) -> Result<u64, Fault> {
        let mut total = 0;
        loop {
            let head = self.look().await?;
            let first = Wanted {
                after: head.floor,
                upto: head.standing.n - u64::from(head.standing.n > 0),
                rooms: None,
                limit: BATCH,
            };
            let rows = read::entries(&self.mongo, first).await?;
            let (entries, damaged) = sound(rows, head.standing.epoch, head.floor);
            if let Some(upto) = damaged
                && self.is_trimmed(upto).await?
            {
                continue;
            }
            let gone = going(&entries, &head, &self.retention, time::unix_ms());
            let Some(last) = gone.last().map(|entry| entry.n()).or(damaged) else {
                return Ok(total);
            };
            self.remove(&head, gone, damaged, last).await?;
            total += gone.len() as u64;
            if gone.len() < entries.len() || gone.len() < BATCH && damaged.is_none() {
                return Ok(total);
            }
        }
    }

    async fn remove(
        &self,
        head: &HeadRecord,
        gone: &[Arc<Entry>],
        damaged: Option<u64>,
        last: u64,
    ) -> Result<(), Fault> {
        let others = self.with_tail(|tail| {
            // What was in an entry that cannot be read is not known: it could have been for
            // anybody.
            tail.lose(damaged.unwrap_or(0));
            gone.iter().for_each(|entry| tail.trim(entry));
            tail.raise_floor(last);
            tail.others()
        })?;
        self.raise_marks(gone).await?;
        crash_points::point("mongo-trim-marks");
        let bytes: u64 = gone.iter().map(|entry| entry.content().size() as u64).sum();
        if !self
            .raise_floor(head, last, [others, damaged.unwrap_or(0)], bytes)
            .await?
        {
            // Somebody else has: what they removed is counted.
            return Ok(());
        }
        crash_points::point("mongo-trim-floor");
        self.delete(last, others).await
    }

    async fn raise_marks(&self, gone: &[Arc<Entry>]) -> Result<(), Fault> {
        let mut marks: HashMap<&Room, u64> = HashMap::new();
        for entry in gone {
            marks.extend(entry.content().rooms().iter().map(|room| (room, entry.n())));
        }
        let updates: Vec<Bson> = marks.iter().map(|(room, n)| {
            doc! { "q": { "_id": room.to_string() }, "u": { "$max": { "n": signed(*n) } }, "upsert": true }.into()
        }).collect();
        for updates in updates.chunks(1_000) {
            self.write(doc! { "update": MARKS, "updates": updates, "ordered": false })
                .await?;
        }
        Ok(())
    }

    /// `false`: it is no longer where it was.
    async fn raise_floor(
        &self,
        head: &HeadRecord,
        last: u64,
        [others, lost]: [u64; 2],
        bytes: u64,
    ) -> Result<bool, Fault> {
        let filter = doc! {
            "_id": KEY, "epoch": head.standing.epoch.to_bits().cast_signed(), "floor": signed(head.floor),
        };
        let update = doc! {
            "$set": { "floor": signed(last) },
            "$max": { "others": signed(others), "lost": signed(lost) },
            "$inc": { "bytes": -signed(bytes) },
        };
        let answer = self
            .write(doc! { "update": HEAD, "updates": [{ "q": filter, "u": update }] })
            .await?;
        Ok(answer.get_i32("n").is_ok_and(|n| n == 1))
    }

    async fn delete(&self, last: u64, others: u64) -> Result<(), Fault> {
        self.write(
            doc! { "delete": ENTRIES, "deletes": [{ "q": { "_id": { "$lte": signed(last) } }, "limit": 0 }] },
        )
        .await?;
        if others > 0 {
            self.write(doc! { "delete": MARKS, "deletes": [{ "q": { "n": { "$lte": signed(others) } }, "limit": 0 }] }).await?;
        }
        Ok(())
    }

    /// A command that a majority is to have carried out.
    pub(super) async fn write(&self, mut command: Document) -> Result<Document, Fault> {
        let concern = Mongo::writing(self.mongo.deployed().await?);
        let concern = mongodb::bson::serialize_to_bson(&concern)
            .map_err(|_| Fault::Impossible("no write concern"))?;
        command.insert("writeConcern", concern);
        command.insert(
            "maxTimeMS",
            i64::try_from(PATIENCE.as_millis()).unwrap_or(i64::MAX),
        );
        let database = self.mongo.database().clone();
        let answer = self
            .mongo
            .run(PATIENCE, async move { database.run_command(command).await })
            .await?;
        let whole =
            !answer.contains_key("writeErrors") && !answer.contains_key("writeConcernError");
        if whole {
            Ok(answer)
        } else {
            Err(Fault::Impossible(
                "the database has carried out a part of what was asked",
            ))
        }
    }
}

/// Those that are beyond the retention.
fn going<'a>(
    entries: &'a [Arc<Entry>],
    head: &HeadRecord,
    retention: &Retention,
    now: i64,
) -> &'a [Arc<Entry>] {
    let age = i64::try_from(retention.age.as_millis()).unwrap_or(i64::MAX);
    let oldest = now.saturating_sub(age);
    let mut bytes = head.bytes;
    let goes = |entry: &&Arc<Entry>| {
        let kept = head.standing.n - entry.n() + 1;
        let beyond =
            kept > retention.entries as u64 || bytes > retention.bytes || entry.ts() <= oldest;
        bytes = bytes.saturating_sub(entry.content().size() as u64);
        beyond
    };
    &entries[..entries.iter().take_while(goes).count()]
}

//! Events as rows beside the change that they tell of, and their way into the log.
//!
//! Rows are numbered without holes inside the transaction. After the commit, on the writer's thread, they are appended to
//! the log in memory in the same order. So a row's number and the log's differ by a constant, and the position of an
//! event is known before the commit, when the answer that names it is written.

use metaia_realtime::{Epoch, EventLog, MemoryLog, NewEntry, Position, Receipt, log::LogError};
use rusqlite::{Connection, params};

use super::{
    fault::Fault,
    orders::{document, signed},
};
use crate::model::Timestamp;

/// The log in memory, and how its numbers follow from those of the rows.
#[derive(Debug, Clone)]
pub(super) struct Feed {
    log: MemoryLog,
    epoch: Epoch,
    /// The number of the row before the log's first entry.
    before: u64,
}

impl Feed {
    /// Begins where the log ends; `head` is the number of the last row.
    pub(super) async fn begin(log: MemoryLog, head: u64) -> Result<Self, LogError> {
        let position = log.head().await?.position;
        Ok(Self { log, epoch: position.epoch(), before: head.saturating_sub(position.n()) })
    }

    /// Writes the events as the next rows, and says where each will be in the log.
    pub(super) fn write(&self, db: &Connection, events: &[NewEntry]) -> Result<Vec<Receipt>, Fault> {
        if events.is_empty() {
            return Ok(Vec::new());
        }
        let (first, ts) = (head(db)? + 1, Timestamp::now());
        let rows = (first..).zip(events);
        rows.map(|(n, event)| {
            insert(db, n, ts, event)?;
            let position = Position::of(self.epoch, n.saturating_sub(self.before), event.id());
            Ok(Receipt { id: event.id(), position })
        })
        .collect()
    }

    /// Hands committed events to the log. Called on the writer's thread only, in the order of the commits.
    pub(super) fn publish(&self, events: &[NewEntry], receipts: &[Receipt]) {
        let positions = self.log.append_now(events.to_vec());
        if !positions.iter().eq(receipts.iter().map(|receipt| &receipt.position)) {
            tracing::error!(
                "the log and the events of the store have parted: something else appends to the log"
            );
        }
    }
}

/// The number of the last row, 0 where there is none.
pub(super) fn head(db: &Connection) -> Result<u64, Fault> {
    let sql = "SELECT coalesce(max(n), 0) FROM event";
    let n: i64 = db.prepare_cached(sql)?.query_row([], |row| row.get(0))?;
    n.try_into().map_err(|_| Fault::Corrupt("event: a number below 1".to_owned()))
}

fn insert(db: &Connection, n: u64, ts: Timestamp, event: &NewEntry) -> Result<(), Fault> {
    let sql = "INSERT INTO event (n, id, ts, rooms, name, payload) VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
    db.prepare_cached(sql)?.execute(params![
        signed(n)?,
        event.id().to_bytes(),
        ts.ms(),
        document(&event.rooms())?,
        event.name(),
        event.payload().as_str(),
    ])?;
    Ok(())
}

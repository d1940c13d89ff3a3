//! Appending entries inside a transaction, which may be the caller's.

use std::sync::Arc;

use rusqlite::{Connection, OptionalExtension as _};

use super::{
    fault::{AppendError, SqliteFault},
    meta::Meta,
    rooms, row,
    state::SqliteLogState,
};
use crate::{
    NewEntry, Position,
    log::Entry,
    values::{EventId, time},
};

/// Entries that were written in a transaction, and the positions that they have once it is
/// committed.
#[derive(Debug, Clone)]
#[must_use = "the log learns of the entries by `SqliteLog::committed` or `EventLog::wake`"]
pub struct Appended {
    positions: Vec<Position>,
    /// The entries that the log did not have before.
    pub(super) fresh: Vec<Arc<Entry>>,
}

impl Appended {
    /// Returns the position of each entry, in the order given.
    #[must_use]
    pub fn positions(&self) -> &[Position] {
        &self.positions
    }
}

/// Writes the entries that the log does not have, all with the same time.
pub(super) fn append(
    log: &SqliteLogState,
    db: &Connection,
    entries: &[NewEntry],
) -> Result<Appended, AppendError> {
    let mut appended = Appended {
        positions: Vec::with_capacity(entries.len()),
        fresh: Vec::new(),
    };
    if entries.is_empty() {
        return Ok(appended);
    }
    let mut meta = Meta::read(db)?;
    let ts = time::unix_ms();
    for new in entries {
        let position = match find_number(db, new.id())? {
            Some(n) => Position::new(meta.epoch, n, new.id()),
            None => {
                let entry = insert(log, db, &mut meta, ts, new)?;
                let position = entry.position();
                appended.fresh.push(entry);
                position
            }
        };
        appended.positions.push(position);
    }
    if !appended.fresh.is_empty() {
        meta.write(db)?;
    }
    Ok(appended)
}

fn find_number(db: &Connection, id: EventId) -> rusqlite::Result<Option<u64>> {
    let mut statement = db.prepare_cached("SELECT n FROM rt_entry WHERE id = ?1")?;
    let n: Option<i64> = statement
        .query_row([id.to_bytes()], |row| row.get(0))
        .optional()?;
    Ok(n.map(i64::cast_unsigned))
}

fn insert(
    log: &SqliteLogState,
    db: &Connection,
    meta: &mut Meta,
    ts: i64,
    new: &NewEntry,
) -> Result<Arc<Entry>, AppendError> {
    let n = meta.head + 1;
    let entry = Arc::new(Entry::new(meta.epoch, n, ts, new.clone()));
    row::insert(db, &entry)?;
    if let Err(fault) = link_rooms(db, meta, new, n) {
        // The new entry must be found again, so a damaged index is cleared. No client can resume
        // from before this entry then.
        log.give_up_index(db, meta, fault)?;
        link_rooms(db, meta, new, n)?;
    }
    meta.head = n;
    meta.head_id = new.id();
    meta.bytes += new.size() as u64;
    Ok(entry)
}

fn link_rooms(db: &Connection, meta: &Meta, new: &NewEntry, n: u64) -> Result<(), SqliteFault> {
    for room in new.rooms() {
        rooms::link(db, meta.floor, room, n)?;
    }
    Ok(())
}

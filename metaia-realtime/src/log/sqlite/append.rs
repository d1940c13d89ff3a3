//! Adding entries inside a transaction, which may be somebody else's.

use std::sync::Arc;

use rusqlite::{Connection, OptionalExtension as _};

use super::{
    Shared,
    fault::{AppendError, Fault},
    meta::Meta,
    rooms, row,
};
use crate::{EventId, NewEntry, Position, log::Entry, values::time};

/// Entries that were written in a transaction, and where they will be once it is committed.
#[derive(Debug, Clone)]
#[must_use = "the log learns of the entries by `SqliteLog::committed` or `SqliteLog::wake`"]
pub struct Appended {
    positions: Vec<Position>,
    pub(super) fresh: Vec<Arc<Entry>>,
}

impl Appended {
    /// The position of each entry, in the order given.
    #[must_use]
    pub fn positions(&self) -> &[Position] {
        &self.positions
    }
}

/// Writes the entries that the log does not have, all with the same time.
pub(super) fn append(
    log: &Shared,
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
    let (mut meta, ts) = (Meta::read(db)?, time::unix_ms());
    for new in entries {
        let position = match known(db, new.id())? {
            Some(n) => Position::of(meta.epoch, n, new.id()),
            None => {
                let entry = add(log, db, &mut meta, ts, new)?;
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

fn known(db: &Connection, id: EventId) -> rusqlite::Result<Option<u64>> {
    let mut statement = db.prepare_cached("SELECT n FROM rt_entry WHERE id = ?1")?;
    let n: Option<i64> = statement
        .query_row([id.to_bytes()], |row| row.get(0))
        .optional()?;
    Ok(n.map(i64::cast_unsigned))
}

fn add(
    log: &Shared,
    db: &Connection,
    meta: &mut Meta,
    ts: i64,
    new: &NewEntry,
) -> Result<Arc<Entry>, AppendError> {
    let n = meta.head + 1;
    let entry = Arc::new(Entry::new(meta.epoch, n, ts, new.clone()));
    row::insert(db, &entry)?;
    if let Err(fault) = link(db, meta, new, n) {
        // New entries must be found again: the index is begun anew, and with it what can be
        // resumed.
        log.give_up_index(db, meta, fault)?;
        link(db, meta, new, n)?;
    }
    meta.head = n;
    meta.head_id = new.id();
    meta.bytes += new.size() as u64;
    Ok(entry)
}

fn link(db: &Connection, meta: &Meta, new: &NewEntry, n: u64) -> Result<(), Fault> {
    new.rooms()
        .iter()
        .try_for_each(|room| rooms::link(db, meta.floor, room, n))
}

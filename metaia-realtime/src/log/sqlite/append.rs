//! Adding entries inside a transaction, which may be somebody else's.

use std::sync::Arc;

use rusqlite::{Connection, OptionalExtension as _};

use super::{fault::AppendError, meta::Meta, rooms, row};
use crate::{EventId, NewEntry, Position, clock, log::Entry};

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
pub(super) fn append(db: &Connection, entries: &[NewEntry]) -> Result<Appended, AppendError> {
    let mut appended = Appended { positions: Vec::with_capacity(entries.len()), fresh: Vec::new() };
    if entries.is_empty() {
        return Ok(appended);
    }
    let (mut meta, ts) = (Meta::read(db)?, clock::unix_ms());
    for new in entries {
        let position = match known(db, new.id())? {
            Some(n) => Position::of(meta.epoch, n, new.id()),
            None => add(db, &mut meta, ts, new, &mut appended.fresh)?,
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
    let n: Option<i64> = statement.query_row([id.to_bytes()], |row| row.get(0)).optional()?;
    Ok(n.map(i64::cast_unsigned))
}

fn add(
    db: &Connection,
    meta: &mut Meta,
    ts: i64,
    new: &NewEntry,
    fresh: &mut Vec<Arc<Entry>>,
) -> rusqlite::Result<Position> {
    meta.head += 1;
    meta.head_id = new.id();
    meta.bytes += new.size() as u64;
    let entry = Arc::new(Entry::new(meta.epoch, meta.head, ts, new.clone()));
    row::insert(db, &entry)?;
    for room in new.rooms() {
        rooms::link(db, room, meta.head)?;
    }
    fresh.push(entry);
    Ok(meta.position())
}

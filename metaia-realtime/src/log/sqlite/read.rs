//! Reads of the database, on one snapshot each. Their results are undamaged; damage is a
//! [`SqliteFault`].

use std::sync::Arc;

use rusqlite::{Connection, OptionalExtension as _};

use super::{
    column::integer,
    fault::SqliteFault,
    meta::Meta,
    rooms,
    row::{self, COLUMNS},
};
use crate::{
    Position, Room,
    log::{Entry, Head},
    values::{Epoch, EventId},
};

/// A page without its trimmed mark, which is in memory.
pub(super) struct SqlitePage {
    pub(super) epoch: Epoch,
    pub(super) entries: Vec<Arc<Entry>>,
    /// As [`crate::log::Page::scanned`].
    pub(super) scanned: u64,
}

/// A [`crate::log::History`] without its trimmed mark, which is in memory.
pub(super) struct StoredHistory {
    pub(super) head: Position,
    pub(super) entry: Option<EventId>,
    pub(super) missed: usize,
}

/// Reads up to `limit` entries after `after`, of the rooms or of all.
///
/// `seen` is the head and the floor that readers have seen. The snapshot may still have entries up
/// to that floor, and may already have entries beyond that head. Both are left out, so that no
/// result is older than an earlier one.
pub(super) fn page(
    db: &Connection,
    seen: Head,
    wanted: Option<&[Room]>,
    after: u64,
    limit: usize,
) -> Result<SqlitePage, SqliteFault> {
    let meta = meta_as_seen(db, seen)?;
    let from = after.max(meta.floor);
    let entries = match wanted {
        None => entries_after(db, &meta, from, limit)?,
        Some(rooms) => entries_of_rooms(db, &meta, rooms, from, limit)?,
    };
    let last = entries.last().map(|entry| entry.n());
    let scanned = if entries.len() == limit {
        last.unwrap_or(after)
    } else {
        after.max(meta.head)
    };
    Ok(SqlitePage {
        epoch: meta.epoch,
        entries,
        scanned,
    })
}

/// Reads the id of entry `n`, and counts up to `limit` entries of the rooms after it. `seen`
/// as in [`page`].
pub(super) fn history(
    db: &Connection,
    seen: Head,
    n: u64,
    wanted: &[Room],
    limit: usize,
) -> Result<StoredHistory, SqliteFault> {
    let meta = meta_as_seen(db, seen)?;
    let is_stored = n > meta.floor && n <= meta.head;
    let entry = if is_stored {
        Some(entry_at(db, &meta, n)?)
    } else {
        None
    };
    let from = n.max(meta.floor);
    let numbers = rooms::numbers_after(db, meta.floor, wanted, from, limit)?;
    let missed = numbers.range(..=meta.head).count();
    Ok(StoredHistory {
        head: seen.position,
        entry: entry.map(|entry| entry.content().id()),
        missed,
    })
}

/// Reads the meta row, with the floor and the head of a reader that has seen `seen`.
fn meta_as_seen(db: &Connection, seen: Head) -> Result<Meta, SqliteFault> {
    let mut meta = Meta::read(db)?;
    meta.floor = meta.floor.max(seen.floor);
    meta.head = meta.head.min(seen.position.n());
    Ok(meta)
}

/// Reads up to `limit` entries after `from`, which must not be below the floor. There must be one
/// for each number.
pub(super) fn entries_after(
    db: &Connection,
    meta: &Meta,
    from: u64,
    limit: usize,
) -> Result<Vec<Arc<Entry>>, SqliteFault> {
    let sql =
        format!("SELECT {COLUMNS} FROM rt_entry WHERE n > ?1 AND n <= ?2 ORDER BY n LIMIT ?3");
    let mut statement = db.prepare_cached(&sql)?;
    let mut rows = statement.query([integer(from), integer(meta.head), integer(limit as u64)])?;
    let mut entries = Vec::new();
    let mut last = from;
    // The last damage counts, because everything before it is given up with it.
    let mut damage = None;
    while let Some(row) = rows.next()? {
        let n = row.get::<_, i64>(0)?.cast_unsigned();
        if n <= last {
            return Err(SqliteFault::all_entries("entries are out of order"));
        }
        if n != last + 1 {
            damage = Some(missing(n - 1));
        }
        match row::read(row, meta.epoch) {
            Some(entry) => entries.push(entry),
            None => damage = Some(altered(n)),
        }
        last = n;
    }
    if last < meta.head && last - from < limit as u64 {
        damage = Some(missing(meta.head));
    }
    match damage {
        Some(fault) => Err(fault),
        None => Ok(entries),
    }
}

/// Returns the number before the next good entry after `upto`: damaged rows often lie side by side.
pub(super) fn end_of_damage(db: &Connection, upto: u64) -> Result<u64, SqliteFault> {
    let meta = Meta::read(db)?;
    let sql = format!("SELECT {COLUMNS} FROM rt_entry WHERE n > ?1 ORDER BY n");
    let mut statement = db.prepare_cached(&sql)?;
    let mut rows = statement.query([integer(upto)])?;
    while let Some(row) = rows.next()? {
        if let Some(good) = row::read(row, meta.epoch) {
            return Ok(good.n() - 1);
        }
    }
    Ok(meta.head)
}

fn entries_of_rooms(
    db: &Connection,
    meta: &Meta,
    wanted: &[Room],
    from: u64,
    limit: usize,
) -> Result<Vec<Arc<Entry>>, SqliteFault> {
    let mut entries = Vec::new();
    for n in rooms::numbers_after(db, meta.floor, wanted, from, limit)? {
        if n > meta.head {
            break;
        }
        let entry = entry_at(db, meta, n)?;
        // A damaged index could name an entry of other rooms, which these readers must not see.
        let rooms = entry.content().rooms();
        if !rooms.iter().any(|room| wanted.contains(room)) {
            return Err(SqliteFault::Index(
                "the index of the rooms names an entry of another room",
            ));
        }
        entries.push(entry);
    }
    Ok(entries)
}

/// Reads an entry that must exist.
fn entry_at(db: &Connection, meta: &Meta, n: u64) -> Result<Arc<Entry>, SqliteFault> {
    let sql = format!("SELECT {COLUMNS} FROM rt_entry WHERE n = ?1");
    let mut statement = db.prepare_cached(&sql)?;
    let read = statement
        .query_row([integer(n)], |row| Ok(row::read(row, meta.epoch)))
        .optional()?;
    let upto = n.min(meta.head);
    match read {
        Some(Some(entry)) => Ok(entry),
        Some(None) => Err(altered(upto)),
        None => Err(SqliteFault::Entries {
            upto,
            what: "an entry is missing",
        }),
    }
}

const fn missing(upto: u64) -> SqliteFault {
    SqliteFault::Entries {
        upto,
        what: "entries are missing",
    }
}

const fn altered(upto: u64) -> SqliteFault {
    SqliteFault::Entries {
        upto,
        what: "an entry is not what was written",
    }
}

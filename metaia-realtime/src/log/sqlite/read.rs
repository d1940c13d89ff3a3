//! Reading pages of the database, on one snapshot each. What comes out is whole, or it is a fault.

use std::sync::Arc;

use rusqlite::{Connection, OptionalExtension as _};

use super::{
    fault::Fault,
    meta::Meta,
    rooms,
    row::{self, COLUMNS},
    signed,
};
use crate::{
    EventId, Position, Room,
    log::{Entry, Head},
    values::Epoch,
};

/// Entries in order.
pub(super) struct Scan {
    pub(super) epoch: Epoch,
    pub(super) entries: Vec<Arc<Entry>>,
    /// As [`crate::log::Page::scanned`].
    pub(super) scanned: u64,
}

/// What [`crate::log::History`] says, but for what was trimmed.
pub(super) struct Past {
    pub(super) head: Position,
    pub(super) entry: Option<EventId>,
    pub(super) missed: usize,
}

/// Up to `limit` entries after `after`, of the rooms or of all. The snapshot may still have what
/// has been announced as gone, and already what has not been announced at all: neither is looked
/// at, so that no answer is behind another.
pub(super) fn scan(
    db: &Connection,
    told: Head,
    of: Option<&[Room]>,
    after: u64,
    limit: usize,
) -> Result<Scan, Fault> {
    let meta = read(db, told)?;
    let from = after.max(meta.floor);
    let entries = match of {
        None => all(db, &meta, from, limit)?,
        Some(of) => of_rooms(db, &meta, of, from, limit)?,
    };
    let last = entries.last().map(|entry| entry.n());
    let scanned = if entries.len() == limit {
        last.unwrap_or(after)
    } else {
        after.max(meta.head)
    };
    Ok(Scan {
        epoch: meta.epoch,
        entries,
        scanned,
    })
}

/// What is known of entry `n`, and how much of the rooms follows it; `told` as in [`scan`].
pub(super) fn past(
    db: &Connection,
    told: Head,
    n: u64,
    of: &[Room],
    limit: usize,
) -> Result<Past, Fault> {
    let meta = read(db, told)?;
    let entry = if n > meta.floor && n <= meta.head {
        Some(one(db, &meta, n)?)
    } else {
        None
    };
    let missed = rooms::numbers(db, meta.floor, of, n.max(meta.floor), limit)?
        .range(..=meta.head)
        .count();
    Ok(Past {
        head: told.position,
        entry: entry.map(|entry| entry.content().id()),
        missed,
    })
}

/// Where the log begins and ends for those who know what they were told.
fn read(db: &Connection, told: Head) -> Result<Meta, Fault> {
    let mut meta = Meta::read(db)?;
    meta.floor = meta.floor.max(told.floor);
    meta.head = meta.head.min(told.position.n());
    Ok(meta)
}

/// The entries after `from`, which is not below the floor: one for each number.
pub(super) fn all(
    db: &Connection,
    meta: &Meta,
    from: u64,
    limit: usize,
) -> Result<Vec<Arc<Entry>>, Fault> {
    let sql =
        format!("SELECT {COLUMNS} FROM rt_entry WHERE n > ?1 AND n <= ?2 ORDER BY n LIMIT ?3");
    let mut statement = db.prepare_cached(&sql)?;
    let values = [signed(from), signed(meta.head), signed(limit as u64)];
    let mut rows = statement.query(values)?;
    let (mut entries, mut last, mut damage) = (Vec::new(), from, None);
    while let Some(row) = rows.next()? {
        let n = row.get::<_, i64>(0)?.cast_unsigned();
        if n <= last {
            return Err(Fault::anywhere("entries are out of order"));
        }
        if n != last + 1 {
            damage = Some(Fault::Entries {
                upto: n - 1,
                what: "entries are missing",
            });
        }
        match row::read(row, meta.epoch) {
            Some(entry) => entries.push(entry),
            None => {
                damage = Some(Fault::Entries {
                    upto: n,
                    what: "an entry is not what was written",
                })
            }
        }
        last = n;
    }
    if last < meta.head && last - from < limit as u64 {
        damage = Some(Fault::Entries {
            upto: meta.head,
            what: "entries are missing",
        });
    }
    damage.map_or(Ok(entries), Err)
}

/// The last entry before the next good one: damage seldom comes alone.
pub(super) fn end_of_damage(db: &Connection, upto: u64) -> Result<u64, Fault> {
    let meta = Meta::read(db)?;
    let sql = format!("SELECT {COLUMNS} FROM rt_entry WHERE n > ?1 ORDER BY n");
    let mut statement = db.prepare_cached(&sql)?;
    let mut rows = statement.query([signed(upto)])?;
    while let Some(row) = rows.next()? {
        if let Some(good) = row::read(row, meta.epoch) {
            return Ok(good.n() - 1);
        }
    }
    Ok(meta.head)
}

fn of_rooms(
    db: &Connection,
    meta: &Meta,
    of: &[Room],
    from: u64,
    limit: usize,
) -> Result<Vec<Arc<Entry>>, Fault> {
    let wanted = |n| {
        let entry = one(db, meta, n)?;
        // An index that names an entry of other rooms would hand it to strangers.
        let theirs = entry.content().rooms().iter().any(|room| of.contains(room));
        if theirs {
            Ok(entry)
        } else {
            Err(Fault::Index(
                "the index of the rooms names an entry of another room",
            ))
        }
    };
    let numbers = rooms::numbers(db, meta.floor, of, from, limit)?;
    numbers
        .into_iter()
        .take_while(|n| *n <= meta.head)
        .map(wanted)
        .collect()
}

/// An entry that must be there.
fn one(db: &Connection, meta: &Meta, n: u64) -> Result<Arc<Entry>, Fault> {
    let sql = format!("SELECT {COLUMNS} FROM rt_entry WHERE n = ?1");
    let mut statement = db.prepare_cached(&sql)?;
    let read = statement
        .query_row([signed(n)], |row| Ok(row::read(row, meta.epoch)))
        .optional()?;
    let upto = n.min(meta.head);
    match read {
        Some(Some(entry)) => Ok(entry),
        Some(None) => Err(Fault::Entries {
            upto,
            what: "an entry is not what was written",
        }),
        None => Err(Fault::Entries {
            upto,
            what: "an entry is missing",
        }),
    }
}

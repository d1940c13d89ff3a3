//! Which entries are in which room: an index that notices when a part of it is missing.
//!
//! Each link of a room's chain says which entry of the room came before, and an end says which is the last. Whoever reads
//! a stretch of the chain sees whether a link is gone or was another room's: a row of an index has no other
//! way to be missed.

use std::collections::{BTreeSet, HashSet};

use rusqlite::{Connection, OptionalExtension as _, params};

use super::{fault::Fault, signed};
use crate::Room;

/// The number of the end of each chain: beyond that of any entry.
const END: i64 = i64::MAX;

/// Puts entry `n` at the end of the room's chain. Done twice, it does nothing.
pub(super) fn link(db: &Connection, room: &Room, n: u64) -> rusqlite::Result<()> {
    let (room, n) = (room.to_string(), n.cast_signed());
    let sql = "SELECT prev FROM rt_room WHERE room = ?1 AND n = ?2";
    let last: Option<i64> =
        db.prepare_cached(sql)?.query_row(params![room, END], |row| row.get(0)).optional()?;
    if last == Some(n) {
        return Ok(());
    }
    let sql = "INSERT INTO rt_room (room, n, prev) VALUES (?1, ?2, ?3)";
    db.prepare_cached(sql)?.execute(params![room, n, last.unwrap_or(0)])?;
    let sql = "INSERT INTO rt_room (room, n, prev) VALUES (?1, ?2, ?3)
        ON CONFLICT (room, n) DO UPDATE SET prev = ?3";
    db.prepare_cached(sql)?.execute(params![room, END, n])?;
    Ok(())
}

/// Takes entry `n`, the oldest of the room, out of the chain; with the last one the chain ends.
pub(super) fn unlink(db: &Connection, room: &Room, n: u64) -> rusqlite::Result<()> {
    let (room, n) = (room.to_string(), n.cast_signed());
    db.prepare_cached("DELETE FROM rt_room WHERE room = ?1 AND n = ?2")?.execute(params![room, n])?;
    let sql = "DELETE FROM rt_room WHERE room = ?1 AND n = ?2 AND prev = ?3";
    db.prepare_cached(sql)?.execute(params![room, END, n])?;
    Ok(())
}

/// The numbers of the first `limit` entries after `after` in any of the rooms. Nothing up to `after` is looked at.
pub(super) fn numbers(
    db: &Connection,
    rooms: &[Room],
    after: u64,
    limit: usize,
) -> Result<BTreeSet<u64>, Fault> {
    let mut found = BTreeSet::new();
    for room in rooms.iter().collect::<HashSet<_>>() {
        found.extend(of_room(db, room, after, limit)?);
    }
    Ok(found.into_iter().take(limit).collect())
}

fn of_room(db: &Connection, room: &Room, after: u64, limit: usize) -> Result<Vec<u64>, Fault> {
    let sql = "SELECT n, prev FROM rt_room WHERE room = ?1 AND n > ?2 ORDER BY n LIMIT ?3";
    // One more than asked for: the end of the chain, where there is no other.
    let values = params![room.to_string(), signed(after), signed(limit as u64).saturating_add(1)];
    let mut statement = db.prepare_cached(sql)?;
    let mut links = statement.query(values)?;
    let (mut numbers, mut last, mut ended) = (Vec::new(), None, false);
    while let Some(link) = links.next()? {
        let (n, prev): (i64, i64) = (link.get(0)?, link.get(1)?);
        let follows = last.map_or(prev <= signed(after), |last| prev == last);
        if !follows || ended {
            return Err(broken());
        }
        ended = n == END;
        last = Some(n);
        numbers.extend((!ended).then_some(n.cast_unsigned()));
    }
    let whole = ended || numbers.is_empty() || numbers.len() > limit;
    if whole { Ok(numbers) } else { Err(broken()) }
}

const fn broken() -> Fault {
    Fault::anywhere("the list of a room's entries has a hole")
}

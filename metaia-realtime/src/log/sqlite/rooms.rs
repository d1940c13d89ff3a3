//! The index of the rooms: the entries of each room, stored so that a missing part is noticed.
//!
//! Each room has a chain: a link for each entry, which names the one before, and an end, which
//! names the last. Each link has a checksum. A read of a stretch of a chain notices a link that is
//! gone or belongs to another room. A read that finds no link checks the neighbours of the place
//! where the links of the room would be: rows that exist but are not found lie beside a damaged
//! one, and if a whole stretch is gone, the rest does not fit together.

use std::collections::{BTreeSet, HashSet};

use rusqlite::{Connection, OptionalExtension as _, Row, params};

use super::{checksum::Checksum, column::integer, fault::SqliteFault};
use crate::Room;

/// The number of the end of each chain, beyond that of any entry.
const END: i64 = i64::MAX;

const DAMAGED: SqliteFault =
    SqliteFault::Index("a row of the rooms' index is not what was written");
const HOLE: SqliteFault = SqliteFault::Index("the index of the rooms has a hole");

/// A row of the index.
#[derive(Debug)]
struct RoomLink {
    room: String,
    n: i64,
    prev: i64,
}

impl RoomLink {
    /// Reads the columns `room, n, prev, sum`.
    fn read(row: &Row<'_>) -> Result<Self, SqliteFault> {
        let (link, sum) = Self::parse(row).map_err(|_| DAMAGED)?;
        if link.checksum() == sum {
            Ok(link)
        } else {
            Err(DAMAGED)
        }
    }

    fn parse(row: &Row<'_>) -> rusqlite::Result<(Self, i64)> {
        let link = Self {
            room: row.get(0)?,
            n: row.get(1)?,
            prev: row.get(2)?,
        };
        Ok((link, row.get(3)?))
    }

    fn insert(&self, db: &Connection) -> rusqlite::Result<()> {
        let sql = "INSERT INTO rt_room (room, n, prev, sum) VALUES (?1, ?2, ?3, ?4)
            ON CONFLICT (room, n) DO UPDATE SET prev = ?3, sum = ?4";
        db.prepare_cached(sql)?
            .execute(params![self.room, self.n, self.prev, self.checksum()])?;
        Ok(())
    }

    fn checksum(&self) -> i64 {
        Checksum::new("link")
            .text(&self.room)
            .number(self.n)
            .number(self.prev)
            .finish()
    }

    /// Returns whether this link may lie directly before the place of `room`, as the last one above
    /// the floor in its own room.
    fn may_precede(&self, room: &str, floor: i64) -> bool {
        self.n <= floor || (self.n == END && self.room.as_str() < room)
    }

    /// Returns whether this link may lie directly behind the place of `room`, as the first one
    /// above the floor in its own room.
    fn may_follow(&self, room: &str, floor: i64) -> bool {
        self.prev <= floor && self.room.as_str() > room
    }
}

/// Appends entry `n` to the room's chain. A second call with the same entry changes nothing. Links
/// up to `floor` do not matter any more.
pub(super) fn link(db: &Connection, floor: u64, room: &Room, n: u64) -> Result<(), SqliteFault> {
    let room = room.to_string();
    let n = n.cast_signed();
    let prev = match chain_end(db, &room)? {
        Some(end) if end.prev == n => return Ok(()),
        Some(end) => end.prev,
        None => {
            check_neighbours(db, floor, &room, END)?;
            0
        }
    };
    let entry = RoomLink {
        room: room.clone(),
        n,
        prev,
    };
    entry.insert(db)?;
    let end = RoomLink {
        room,
        n: END,
        prev: n,
    };
    end.insert(db)?;
    Ok(())
}

fn chain_end(db: &Connection, room: &str) -> Result<Option<RoomLink>, SqliteFault> {
    let sql = "SELECT room, n, prev, sum FROM rt_room WHERE room = ?1 AND n = ?2";
    db.prepare_cached(sql)?
        .query_row(params![room, END], |row| Ok(RoomLink::read(row)))
        .optional()?
        .transpose()
}

/// Removes entry `n`, the oldest of the room, from the chain. With the last entry the chain's end
/// is removed too.
pub(super) fn unlink(db: &Connection, room: &Room, n: u64) -> rusqlite::Result<()> {
    let room = room.to_string();
    let n = n.cast_signed();
    db.prepare_cached("DELETE FROM rt_room WHERE room = ?1 AND n = ?2")?
        .execute(params![room, n])?;
    let sql = "DELETE FROM rt_room WHERE room = ?1 AND n = ?2 AND prev = ?3";
    db.prepare_cached(sql)?.execute(params![room, END, n])?;
    Ok(())
}

/// Deletes the whole index. The caller gives up all entries that it could name.
pub(super) fn clear(db: &Connection) -> rusqlite::Result<()> {
    db.execute("DELETE FROM rt_room", [])?;
    Ok(())
}

/// Returns the numbers of the first `limit` entries after `after` in any of the rooms. `after` must
/// not be below the `floor`; nothing up to `after` is read.
pub(super) fn numbers_after(
    db: &Connection,
    floor: u64,
    rooms: &[Room],
    after: u64,
    limit: usize,
) -> Result<BTreeSet<u64>, SqliteFault> {
    let distinct: HashSet<&Room> = rooms.iter().collect();
    let mut found = BTreeSet::new();
    for room in distinct {
        let numbers = numbers_of_room(db, floor, &room.to_string(), integer(after), limit)?;
        found.extend(numbers);
    }
    Ok(found.into_iter().take(limit).collect())
}

fn numbers_of_room(
    db: &Connection,
    floor: u64,
    room: &str,
    after: i64,
    limit: usize,
) -> Result<Vec<u64>, SqliteFault> {
    if after == END {
        return Ok(Vec::new());
    }
    let sql =
        "SELECT room, n, prev, sum FROM rt_room WHERE room = ?1 AND n > ?2 ORDER BY n LIMIT ?3";
    // One more than asked for: the end of the chain, if no other link follows.
    let sql_limit = integer(limit as u64).saturating_add(1);
    let mut statement = db.prepare_cached(sql)?;
    let mut links = statement.query(params![room, after, sql_limit])?;
    let mut numbers = Vec::new();
    let mut last = after;
    while let Some(row) = links.next()? {
        let link = RoomLink::read(row)?;
        let follows = if last == after {
            link.prev <= after
        } else {
            link.prev == last
        };
        if !follows || link.n <= last || link.room != room {
            return Err(HOLE);
        }
        last = link.n;
        if last != END {
            numbers.push(last.cast_unsigned());
        }
    }
    if last == after {
        check_neighbours(db, floor, room, after)?;
    }
    let is_whole = last == END || numbers.is_empty() || numbers.len() > limit;
    if is_whole { Ok(numbers) } else { Err(HOLE) }
}

/// Checks that no link was overlooked after `(room, n)`, where none was found: the links before and
/// behind this place must be neighbours.
fn check_neighbours(db: &Connection, floor: u64, room: &str, n: i64) -> Result<(), SqliteFault> {
    let neighbour = |sql| {
        let mut statement = db.prepare_cached(sql)?;
        statement
            .query_row(params![room, n], |row| Ok(RoomLink::read(row)))
            .optional()?
            .transpose()
    };
    let before = neighbour(
        "SELECT room, n, prev, sum FROM rt_room WHERE (room, n) <= (?1, ?2)
        ORDER BY room DESC, n DESC LIMIT 1",
    )?;
    let behind = neighbour(
        "SELECT room, n, prev, sum FROM rt_room WHERE (room, n) > (?1, ?2)
        ORDER BY room, n LIMIT 1",
    )?;
    let floor = integer(floor);
    let are_neighbours = before.is_none_or(|link| link.may_precede(room, floor))
        && behind.is_none_or(|link| link.may_follow(room, floor));
    if are_neighbours { Ok(()) } else { Err(HOLE) }
}

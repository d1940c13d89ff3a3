//! Which entries are in which room: an index that notices when a part of it is missing.
//!
//! Each room has a chain: a link for each entry, which names the one before, and an end, which
//! names the last. Each link has a checksum. Whoever reads a stretch of a chain sees whether a link
//! is gone or was another room's. Whoever finds nothing looks at the neighbours of the place where
//! the room would be: rows that are not found although they are there are beside one that is
//! damaged, and where a whole stretch is gone, what is left does not fit together.

use std::collections::{BTreeSet, HashSet};

use rusqlite::{Connection, OptionalExtension as _, Row, params};

use super::{fault::Fault, signed, sum::Sum};
use crate::Room;

/// The number of the end of each chain: beyond that of any entry.
const END: i64 = i64::MAX;

/// A row of the index.
#[derive(Debug)]
struct Link {
    room: String,
    n: i64,
    prev: i64,
}

impl Link {
    /// The columns `room, n, prev, sum`.
    fn read(row: &Row<'_>) -> Result<Self, Fault> {
        let read = || {
            Some((
                row.get(0).ok()?,
                row.get(1).ok()?,
                row.get(2).ok()?,
                row.get(3).ok()?,
            ))
        };
        let (room, n, prev, sum): (String, i64, i64, i64) = read().ok_or(DAMAGED)?;
        let link = Self { room, n, prev };
        if link.sum() == sum {
            Ok(link)
        } else {
            Err(DAMAGED)
        }
    }

    fn insert(&self, db: &Connection) -> rusqlite::Result<()> {
        let sql = "INSERT INTO rt_room (room, n, prev, sum) VALUES (?1, ?2, ?3, ?4)
            ON CONFLICT (room, n) DO UPDATE SET prev = ?3, sum = ?4";
        db.prepare_cached(sql)?
            .execute(params![self.room, self.n, self.prev, self.sum()])?;
        Ok(())
    }

    fn sum(&self) -> i64 {
        Sum::of("link")
            .text(&self.room)
            .number(self.n)
            .number(self.prev)
            .end()
    }

    /// Whether no link of its room that matters comes after it, as seen from another room.
    fn ends_before(&self, room: &str, floor: i64) -> bool {
        self.n <= floor || (self.n == END && self.room.as_str() < room)
    }

    /// Whether none that matters comes before it, as seen from another room.
    fn begins_behind(&self, room: &str, floor: i64) -> bool {
        self.prev <= floor && self.room.as_str() > room
    }
}

const DAMAGED: Fault = Fault::Index("a row of the rooms' index is not what was written");
const HOLE: Fault = Fault::Index("the index of the rooms has a hole");

/// Puts entry `n` at the end of the room's chain. Done twice, it does nothing. Nothing up to
/// `floor` matters any more.
pub(super) fn link(db: &Connection, floor: u64, room: &Room, n: u64) -> Result<(), Fault> {
    let (room, n) = (room.to_string(), n.cast_signed());
    let last = end(db, &room)?;
    if last.as_ref().is_some_and(|end| end.prev == n) {
        return Ok(());
    }
    if last.is_none() {
        nothing_is_hidden(db, floor, &room, END)?;
    }
    let prev = last.map_or(0, |end| end.prev);
    Link {
        room: room.clone(),
        n,
        prev,
    }
    .insert(db)?;
    Ok(Link {
        room,
        n: END,
        prev: n,
    }
    .insert(db)?)
}

fn end(db: &Connection, room: &str) -> Result<Option<Link>, Fault> {
    let sql = "SELECT room, n, prev, sum FROM rt_room WHERE room = ?1 AND n = ?2";
    db.prepare_cached(sql)?
        .query_row(params![room, END], |row| Ok(Link::read(row)))
        .optional()?
        .transpose()
}

/// Takes entry `n`, the oldest of the room, out of the chain; with the last one the chain ends.
pub(super) fn unlink(db: &Connection, room: &Room, n: u64) -> rusqlite::Result<()> {
    let (room, n) = (room.to_string(), n.cast_signed());
    db.prepare_cached("DELETE FROM rt_room WHERE room = ?1 AND n = ?2")?
        .execute(params![room, n])?;
    let sql = "DELETE FROM rt_room WHERE room = ?1 AND n = ?2 AND prev = ?3";
    db.prepare_cached(sql)?.execute(params![room, END, n])?;
    Ok(())
}

/// Forgets all: there is no entry left that it could name.
pub(super) fn clear(db: &Connection) -> rusqlite::Result<()> {
    db.execute("DELETE FROM rt_room", []).map(drop)
}

/// The numbers of the first `limit` entries after `after` in any of the rooms. Nothing up to
/// `after` is looked at, which is not below the `floor`.
pub(super) fn numbers(
    db: &Connection,
    floor: u64,
    rooms: &[Room],
    after: u64,
    limit: usize,
) -> Result<BTreeSet<u64>, Fault> {
    let mut found = BTreeSet::new();
    for room in rooms.iter().collect::<HashSet<_>>() {
        found.extend(of_room(db, floor, &room.to_string(), signed(after), limit)?);
    }
    Ok(found.into_iter().take(limit).collect())
}

fn of_room(
    db: &Connection,
    floor: u64,
    room: &str,
    after: i64,
    limit: usize,
) -> Result<Vec<u64>, Fault> {
    if after == END {
        return Ok(Vec::new());
    }
    let sql =
        "SELECT room, n, prev, sum FROM rt_room WHERE room = ?1 AND n > ?2 ORDER BY n LIMIT ?3";
    // One more than asked for: the end of the chain, where there is no other.
    let values = params![room, after, signed(limit as u64).saturating_add(1)];
    let mut statement = db.prepare_cached(sql)?;
    let mut links = statement.query(values)?;
    let (mut numbers, mut last) = (Vec::new(), after);
    while let Some(row) = links.next()? {
        let link = Link::read(row)?;
        let follows = if last == after {
            link.prev <= after
        } else {
            link.prev == last
        };
        if !follows || link.n <= last || link.room != room {
            return Err(HOLE);
        }
        last = link.n;
        numbers.extend((last != END).then_some(last.cast_unsigned()));
    }
    if last == after {
        nothing_is_hidden(db, floor, room, after)?;
    }
    let whole = last == END || numbers.is_empty() || numbers.len() > limit;
    if whole { Ok(numbers) } else { Err(HOLE) }
}

/// No link was found after `(room, n)`: are those around this place neighbours?
fn nothing_is_hidden(db: &Connection, floor: u64, room: &str, n: i64) -> Result<(), Fault> {
    let neighbour = |sql| {
        let mut statement = db.prepare_cached(sql)?;
        statement
            .query_row(params![room, n], |row| Ok(Link::read(row)))
            .optional()?
            .transpose()
    };
    let before = neighbour(
        "SELECT room, n, prev, sum FROM rt_room WHERE (room, n) <= (?1, ?2) ORDER BY room DESC, n DESC LIMIT 1",
    )?;
    let behind = neighbour(
        "SELECT room, n, prev, sum FROM rt_room WHERE (room, n) > (?1, ?2) ORDER BY room, n LIMIT 1",
    )?;
    let floor = signed(floor);
    let apart = before.is_none_or(|link| link.ends_before(room, floor))
        && behind.is_none_or(|link| link.begins_behind(room, floor));
    if apart { Ok(()) } else { Err(HOLE) }
}

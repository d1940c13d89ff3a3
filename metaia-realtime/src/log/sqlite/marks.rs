//! The trimmed marks of the rooms as rows. Readers use those in memory; the rows are for the next
//! opening, which takes them only when they are, together, what was written.

use std::collections::HashMap;

use rusqlite::{Connection, OptionalExtension as _, params};

use super::{meta::Meta, sum::Sum};
use crate::Room;

/// All marks, or `None` where the rows are damaged.
pub(super) fn load(db: &Connection, meta: &Meta) -> rusqlite::Result<Option<HashMap<Room, u64>>> {
    let (mut marks, mut sum) = (HashMap::new(), 0);
    let mut statement = db.prepare("SELECT room, n FROM rt_trimmed")?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let (Ok(name), Ok(n)) = (row.get::<_, String>(0), row.get::<_, i64>(1)) else {
            return Ok(None);
        };
        let Ok(room) = name.parse() else {
            return Ok(None);
        };
        sum ^= of_mark(&name, n);
        marks.insert(room, n.cast_unsigned());
    }
    Ok((sum == meta.marks).then_some(marks))
}

/// Raises the marks of rooms.
pub(super) fn raise(
    db: &Connection,
    meta: &mut Meta,
    rooms: &HashMap<Room, u64>,
) -> rusqlite::Result<()> {
    let known = "SELECT n FROM rt_trimmed WHERE room = ?1";
    let keep =
        "INSERT INTO rt_trimmed (room, n) VALUES (?1, ?2) ON CONFLICT (room) DO UPDATE SET n = ?2";
    for (room, n) in rooms {
        let (name, n) = (room.to_string(), n.cast_signed());
        let before: Option<i64> = db
            .prepare_cached(known)?
            .query_row([&name], |row| row.get(0))
            .optional()?;
        db.prepare_cached(keep)?.execute(params![name, n])?;
        meta.marks ^= before.map_or(0, |before| of_mark(&name, before)) ^ of_mark(&name, n);
    }
    Ok(())
}

/// Puts one mark in the place of all that are not above it.
pub(super) fn merge(db: &Connection, meta: &mut Meta, others: u64) -> rusqlite::Result<()> {
    if others <= meta.others {
        return Ok(());
    }
    meta.others = others;
    db.execute(
        "DELETE FROM rt_trimmed WHERE n <= ?1",
        [others.cast_signed()],
    )?;
    meta.marks = all(db)?;
    Ok(())
}

/// Forgets all marks: what counts as lost is above them.
pub(super) fn forget(db: &Connection, meta: &mut Meta) -> rusqlite::Result<()> {
    (meta.others, meta.marks) = (0, 0);
    db.execute("DELETE FROM rt_trimmed", []).map(drop)
}

fn all(db: &Connection) -> rusqlite::Result<i64> {
    let mut statement = db.prepare("SELECT room, n FROM rt_trimmed")?;
    let mut marks = statement.query_map([], |row| {
        Ok(of_mark(&row.get::<_, String>(0)?, row.get(1)?))
    })?;
    marks.try_fold(0, |sum, mark| Ok(sum ^ mark?))
}

/// Marks are added up without order, so that one can be replaced without looking at the others.
fn of_mark(room: &str, n: i64) -> i64 {
    Sum::of("mark").text(room).number(n).end()
}

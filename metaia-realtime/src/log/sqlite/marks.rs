//! The trim marks of the rooms, as rows of the database. (The file `….mark` is something else: the
//! [`witness`](super::witness).)
//!
//! Readers use the marks in memory. The rows are for the next opening, which uses them only if the
//! checksum of all of them matches.

use std::collections::HashMap;

use rusqlite::{Connection, OptionalExtension as _, params};

use super::{checksum::Checksum, meta::Meta};
use crate::Room;

/// Reads all marks. Returns `None` if the rows are damaged.
pub(super) fn load(db: &Connection, meta: &Meta) -> rusqlite::Result<Option<HashMap<Room, u64>>> {
    let mut marks = HashMap::new();
    let mut sum = 0;
    let mut statement = db.prepare("SELECT room, n FROM rt_trimmed")?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let (Ok(name), Ok(n)) = (row.get::<_, String>(0), row.get::<_, i64>(1)) else {
            return Ok(None);
        };
        let Ok(room) = name.parse() else {
            return Ok(None);
        };
        sum ^= mark_checksum(&name, n);
        marks.insert(room, n.cast_unsigned());
    }
    if sum == meta.marks {
        Ok(Some(marks))
    } else {
        Ok(None)
    }
}

/// Raises the marks of rooms.
pub(super) fn raise(
    db: &Connection,
    meta: &mut Meta,
    rooms: &HashMap<Room, u64>,
) -> rusqlite::Result<()> {
    let select = "SELECT n FROM rt_trimmed WHERE room = ?1";
    let upsert =
        "INSERT INTO rt_trimmed (room, n) VALUES (?1, ?2) ON CONFLICT (room) DO UPDATE SET n = ?2";
    for (room, n) in rooms {
        let name = room.to_string();
        let n = n.cast_signed();
        let before: Option<i64> = db
            .prepare_cached(select)?
            .query_row([&name], |row| row.get(0))
            .optional()?;
        db.prepare_cached(upsert)?.execute(params![name, n])?;
        if let Some(before) = before {
            meta.marks ^= mark_checksum(&name, before);
        }
        meta.marks ^= mark_checksum(&name, n);
    }
    Ok(())
}

/// Replaces all marks up to `others` by one shared mark, `others`, for all rooms without a mark of
/// their own.
pub(super) fn merge(db: &Connection, meta: &mut Meta, others: u64) -> rusqlite::Result<()> {
    if others <= meta.others {
        return Ok(());
    }
    meta.others = others;
    let sql = "DELETE FROM rt_trimmed WHERE n <= ?1";
    db.execute(sql, [others.cast_signed()])?;
    meta.marks = checksum_of_all(db)?;
    Ok(())
}

/// Deletes all marks. The caller raises [`Meta::lost`] at least to the highest of them.
pub(super) fn clear(db: &Connection, meta: &mut Meta) -> rusqlite::Result<()> {
    meta.others = 0;
    meta.marks = 0;
    db.execute("DELETE FROM rt_trimmed", [])?;
    Ok(())
}

fn checksum_of_all(db: &Connection) -> rusqlite::Result<i64> {
    let mut statement = db.prepare("SELECT room, n FROM rt_trimmed")?;
    let mut rows = statement.query([])?;
    let mut sum = 0;
    while let Some(row) = rows.next()? {
        let name: String = row.get(0)?;
        sum ^= mark_checksum(&name, row.get(1)?);
    }
    Ok(sum)
}

/// Returns the checksum of one mark. The checksums of all marks are combined with XOR, so that one
/// can be replaced without reading the others.
fn mark_checksum(room: &str, n: i64) -> i64 {
    Checksum::new("mark").text(room).number(n).finish()
}

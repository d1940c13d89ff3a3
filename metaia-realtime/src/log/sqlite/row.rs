//! Entries as rows. A row is an entry only if it is, bit for bit, what was written.

use std::sync::Arc;

use rusqlite::{Connection, Row, params};

use super::checksum::Checksum;
use crate::{
    NewEntry, Room,
    log::Entry,
    values::{Epoch, EventId},
};

/// The columns that [`read`] expects.
pub(super) const COLUMNS: &str = "n, id, ts, rooms, name, payload, sum";

pub(super) fn insert(db: &Connection, entry: &Entry) -> rusqlite::Result<()> {
    let sql = "INSERT INTO rt_entry (n, id, ts, rooms, name, payload, sum)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";
    let content = entry.content();
    let n = entry.n().cast_signed();
    let id = content.id().to_bytes();
    let ts = entry.ts();
    let rooms = join_rooms(content.rooms());
    let name = content.name();
    let payload = content.payload().as_str();
    let sum = checksum(n, &id, ts, &rooms, name, payload);
    db.prepare_cached(sql)?
        .execute(params![n, id, ts, rooms, name, payload, sum])?;
    Ok(())
}

/// Reads the entry of a row. Returns `None` if the row is damaged.
pub(super) fn read(row: &Row<'_>, epoch: Epoch) -> Option<Arc<Entry>> {
    let text = |column| row.get_ref(column).ok()?.as_str().ok();
    let n: i64 = row.get(0).ok()?;
    let id: [u8; 16] = row.get(1).ok()?;
    let ts: i64 = row.get(2).ok()?;
    let rooms = text(3)?;
    let name = text(4)?;
    let payload = text(5)?;
    let sum: i64 = row.get(6).ok()?;
    if sum != checksum(n, &id, ts, rooms, name, payload) {
        return None;
    }
    let rooms = rooms.split_ascii_whitespace();
    let new = NewEntry::stored(EventId::from_bytes(id), rooms, name, payload.to_owned()).ok()?;
    Some(Arc::new(Entry::new(epoch, u64::try_from(n).ok()?, ts, new)))
}

/// Joins the names with spaces: a room's name has none in it.
fn join_rooms(rooms: &[Room]) -> String {
    let names: Vec<String> = rooms.iter().map(ToString::to_string).collect();
    names.join(" ")
}

fn checksum(n: i64, id: &[u8], ts: i64, rooms: &str, name: &str, payload: &str) -> i64 {
    Checksum::new("entry")
        .number(n)
        .bytes(id)
        .number(ts)
        .text(rooms)
        .text(name)
        .text(payload)
        .finish()
}

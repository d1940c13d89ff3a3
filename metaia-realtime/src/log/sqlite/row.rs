//! Entries as rows. A row is an entry only if it is, bit for bit, what was written.

use std::sync::Arc;

use rusqlite::{Connection, Row, params};

use super::sum::Sum;
use crate::{EventId, NewEntry, Room, log::Entry, values::Epoch};

/// What [`read`] reads.
pub(super) const COLUMNS: &str = "n, id, ts, rooms, name, payload, sum";

pub(super) fn insert(db: &Connection, entry: &Entry) -> rusqlite::Result<()> {
    let sql = "INSERT INTO rt_entry (n, id, ts, rooms, name, payload, sum) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";
    let (n, content) = (entry.n().cast_signed(), entry.content());
    let (id, rooms) = (content.id().to_bytes(), joined(content.rooms()));
    let (name, payload) = (content.name(), content.payload().as_str());
    let sum = sum(n, &id, entry.ts(), &rooms, name, payload);
    db.prepare_cached(sql)?
        .execute(params![n, id, entry.ts(), rooms, name, payload, sum])?;
    Ok(())
}

/// The entry of a row, or `None` where the row is damaged.
pub(super) fn read(row: &Row<'_>, epoch: Epoch) -> Option<Arc<Entry>> {
    let text = |column| row.get_ref(column).ok()?.as_str().ok();
    let (n, ts) = (row.get::<_, i64>(0).ok()?, row.get::<_, i64>(2).ok()?);
    let id: [u8; 16] = row.get(1).ok()?;
    let (rooms, name, payload) = (text(3)?, text(4)?, text(5)?);
    if row.get::<_, i64>(6).ok()? != sum(n, &id, ts, rooms, name, payload) {
        return None;
    }
    let rooms: Option<Vec<Room>> = rooms
        .split_ascii_whitespace()
        .map(|room| room.parse().ok())
        .collect();
    let new = NewEntry::stored(EventId::from_bytes(id), rooms?, name, payload.to_owned()).ok()?;
    Some(Arc::new(Entry::new(epoch, u64::try_from(n).ok()?, ts, new)))
}

/// Names of rooms have no blanks in them.
fn joined(rooms: &[Room]) -> String {
    rooms
        .iter()
        .map(ToString::to_string)
        .collect::<Vec<_>>()
        .join(" ")
}

fn sum(n: i64, id: &[u8], ts: i64, rooms: &str, name: &str, payload: &str) -> i64 {
    Sum::of("entry")
        .number(n)
        .bytes(id)
        .number(ts)
        .text(rooms)
        .text(name)
        .text(payload)
        .end()
}

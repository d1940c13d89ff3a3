//! The records of clients that may reconnect, beside the log that their positions are in.

use std::collections::BTreeSet;

use rusqlite::{Connection, OptionalExtension as _, Row, Savepoint, params};

use super::{checksum::Checksum, column::integer, log::SqliteLog};
use crate::{
    UserId,
    device::{
        Claimant, ClaimedRecords, DeviceError, DeviceKey, DeviceRecord, DeviceStore, LIFE_MS,
        RECORDS_PER_USER,
    },
    values::{NodeId, time},
};

/// For one node: no other process can open the database.
impl DeviceStore for SqliteLog {
    fn serve(&self, _: NodeId) {}

    async fn claim(
        &self,
        key: &DeviceKey,
        claimant: Claimant,
    ) -> Result<ClaimedRecords, DeviceError> {
        let own = match claimant {
            Claimant::New => self.load(key).await?,
            Claimant::Known => None,
        };
        Ok(ClaimedRecords {
            own,
            ..ClaimedRecords::default()
        })
    }

    async fn save(&self, records: Vec<(DeviceKey, DeviceRecord)>) -> Result<(), DeviceError> {
        let work = move |db: &Savepoint<'_>| save_records(db, &records);
        let saved = self.state.writer.write(work).await;
        saved.map_err(DeviceError::new)
    }

    async fn leave(&self, records: Vec<(DeviceKey, DeviceRecord)>) -> Result<(), DeviceError> {
        self.save(records).await
    }
}

impl SqliteLog {
    /// Loads a record. A damaged one is replaced by a record that no client can resume from: the
    /// client is told to reload.
    async fn load(&self, key: &DeviceKey) -> Result<Option<DeviceRecord>, DeviceError> {
        let key = key.to_string();
        let now = time::unix_ms();
        self.state.count_read();
        let work = move |db: &Connection| load_record(db, &key, now);
        let loaded = self.state.readers.read(work).await;
        loaded.map_err(DeviceError::new)
    }
}

fn load_record(db: &Connection, key: &str, now: i64) -> rusqlite::Result<Option<DeviceRecord>> {
    let sql = "SELECT position, orders, connections, at, sum FROM rt_device WHERE key = ?1";
    let parse = |row: &Row<'_>| Ok(parse(row, key).unwrap_or_else(DeviceRecord::replace_damaged));
    let record = db.prepare_cached(sql)?.query_row([key], parse).optional()?;
    Ok(record.filter(|record| record.at > now - LIFE_MS))
}

/// Returns `None` if the row is not what was written.
fn parse(row: &Row<'_>, key: &str) -> Option<DeviceRecord> {
    let text = |column| row.get_ref(column).ok()?.as_str().ok();
    let position = text(0)?;
    let orders = text(1)?;
    let connections: u32 = row.get(2).ok()?;
    let at: i64 = row.get(3).ok()?;
    let sum: i64 = row.get(4).ok()?;
    if sum != checksum(key, position, orders, connections, at) {
        return None;
    }
    Some(DeviceRecord {
        position: position.parse().ok()?,
        orders: DeviceRecord::read_orders(orders)?,
        connections,
        // This node stores them for the time after its end.
        connected: 0,
        at,
    })
}

/// Saves the records, and deletes the expired and surplus ones.
fn save_records(db: &Connection, records: &[(DeviceKey, DeviceRecord)]) -> rusqlite::Result<()> {
    for (key, record) in records {
        save_record(db, &key.to_string(), record)?;
    }
    delete_expired(db, time::unix_ms() - LIFE_MS)?;
    let users: BTreeSet<_> = records.iter().map(|(key, _)| key.user()).collect();
    for user in users {
        delete_surplus(db, user)?;
    }
    Ok(())
}

fn save_record(db: &Connection, key: &str, record: &DeviceRecord) -> rusqlite::Result<()> {
    let sql = "INSERT INTO rt_device (key, position, orders, connections, at, sum)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6) ON CONFLICT (key) DO UPDATE SET
        position = ?2, orders = ?3, connections = ?4, at = ?5, sum = ?6";
    let position = record.position.to_string();
    let orders = record.orders_text();
    let connections = record.connections;
    let at = record.at;
    let sum = checksum(key, &position, &orders, connections, at);
    db.prepare_cached(sql)?
        .execute(params![key, position, orders, connections, at, sum])?;
    Ok(())
}

fn delete_expired(db: &Connection, oldest: i64) -> rusqlite::Result<()> {
    let sql = "DELETE FROM rt_device WHERE at <= ?1";
    db.prepare_cached(sql)?.execute([oldest])?;
    Ok(())
}

/// Keeps the latest [`RECORDS_PER_USER`] records of a user.
fn delete_surplus(db: &Connection, user: &UserId) -> rusqlite::Result<()> {
    let sql = "DELETE FROM rt_device WHERE key IN (SELECT key FROM rt_device
        WHERE key >= ?1 AND key < ?2 ORDER BY at DESC LIMIT -1 OFFSET ?3)";
    let keys = DeviceKey::text_range_of_user(user);
    let kept = integer(RECORDS_PER_USER as u64);
    db.prepare_cached(sql)?
        .execute(params![keys.start, keys.end, kept])?;
    Ok(())
}

fn checksum(key: &str, position: &str, orders: &str, connections: u32, at: i64) -> i64 {
    Checksum::new("device")
        .text(key)
        .text(position)
        .text(orders)
        .number(connections.into())
        .number(at)
        .finish()
}

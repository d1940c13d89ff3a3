//! What is known of clients that may come back, beside the log that their positions are in.

use std::{collections::BTreeSet, future::Future};

use rusqlite::{Connection, OptionalExtension as _, Row, params};

use super::{
    SqliteLog,
    fault::{AppendError, Fault, of_read, of_write},
    signed,
    sum::Sum,
};
use crate::{
    OrderId, Position,
    device::{DeviceKey, DeviceRecord, DeviceStore, LIFE_MS, RECORDS_PER_USER},
    log::LogError,
    values::{Epoch, time},
};

impl DeviceStore for SqliteLog {
    /// A damaged record is answered by one that nobody can go on from: the client is told to
    /// reload.
    async fn load(&self, key: &DeviceKey) -> Result<Option<DeviceRecord>, LogError> {
        let (key, now) = (key.as_str().to_owned(), time::unix_ms());
        self.shared.count_read();
        let work = move |db: &Connection| load(db, &key, now).map_err(Fault::from);
        self.shared.readers.read(work).await.map_err(of_read)
    }

    fn save(
        &self,
        records: Vec<(DeviceKey, DeviceRecord)>,
    ) -> impl Future<Output = Result<(), LogError>> + Send {
        let work = move |db: &rusqlite::Savepoint<'_>| {
            records
                .iter()
                .try_for_each(|(key, record)| keep(db, key.as_str(), record))?;
            forget(db, time::unix_ms() - LIFE_MS)?;
            let users: BTreeSet<_> = records.iter().map(|(key, _)| key.of_same_user()).collect();
            users
                .iter()
                .try_for_each(|(from, to)| forget_oldest(db, from, to))?;
            Ok::<_, AppendError>(())
        };
        async move { self.shared.writer.write(work).await.map_err(of_write) }
    }
}

fn load(db: &Connection, key: &str, now: i64) -> rusqlite::Result<Option<DeviceRecord>> {
    let sql = "SELECT position, orders, connections, at, sum FROM rt_device WHERE key = ?1";
    let read = |row: &Row<'_>| Ok(read(row, key).unwrap_or_else(|| damaged(now)));
    let record = db.prepare_cached(sql)?.query_row([key], read).optional()?;
    Ok(record.filter(|record| record.at > now - LIFE_MS))
}

/// `None` where the row is not what was written.
fn read(row: &Row<'_>, key: &str) -> Option<DeviceRecord> {
    let text = |column| row.get_ref(column).ok()?.as_str().ok();
    let (position, orders) = (text(0)?, text(1)?);
    let (connections, at): (u32, i64) = (row.get(2).ok()?, row.get(3).ok()?);
    if row.get::<_, i64>(4).ok()? != sum(key, position, orders, connections, at) {
        return None;
    }
    let orders: Option<Vec<OrderId>> = orders
        .split_ascii_whitespace()
        .map(|order| order.parse().ok())
        .collect();
    Some(DeviceRecord {
        position: position.parse().ok()?,
        orders: orders?,
        connections,
        at,
    })
}

/// Of an epoch that never was.
fn damaged(now: i64) -> DeviceRecord {
    tracing::error!("the record of a client is damaged: it will be told to reload");
    let position = Position::start(Epoch::random());
    DeviceRecord {
        position,
        orders: Vec::new(),
        connections: 1,
        at: now,
    }
}

fn keep(db: &Connection, key: &str, record: &DeviceRecord) -> rusqlite::Result<()> {
    let sql = "INSERT INTO rt_device (key, position, orders, connections, at, sum)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6) ON CONFLICT (key) DO UPDATE SET
        position = ?2, orders = ?3, connections = ?4, at = ?5, sum = ?6";
    let position = record.position.to_string();
    let orders = record
        .orders
        .iter()
        .map(OrderId::as_str)
        .collect::<Vec<_>>()
        .join(" ");
    let sum = sum(key, &position, &orders, record.connections, record.at);
    db.prepare_cached(sql)?.execute(params![
        key,
        position,
        orders,
        record.connections,
        record.at,
        sum
    ])?;
    Ok(())
}

fn forget(db: &Connection, oldest: i64) -> rusqlite::Result<()> {
    db.prepare_cached("DELETE FROM rt_device WHERE at <= ?1")?
        .execute([oldest])
        .map(drop)
}

/// Of the keys between these, only so many records stay.
fn forget_oldest(db: &Connection, from: &str, to: &str) -> rusqlite::Result<()> {
    let sql = "DELETE FROM rt_device WHERE key IN
        (SELECT key FROM rt_device WHERE key > ?1 AND key < ?2 ORDER BY at DESC LIMIT -1 OFFSET ?3)";
    db.prepare_cached(sql)?
        .execute(params![from, to, signed(RECORDS_PER_USER as u64)])
        .map(drop)
}

fn sum(key: &str, position: &str, orders: &str, connections: u32, at: i64) -> i64 {
    Sum::of("device")
        .text(key)
        .text(position)
        .text(orders)
        .number(connections.into())
        .number(at)
        .end()
}

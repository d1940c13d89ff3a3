//! Behaviour of the log, on real files.

mod control;
mod damage;
mod devices;
mod epoch;
mod model;
mod reopen;
mod revocations;
mod sharing;
mod trim;

use std::path::PathBuf;

use rusqlite::Connection;
use serde_json::json;

use super::SqliteLog;
use crate::{
    EventLog, NewEntry, Room,
    log::{Page, Retention},
    sqlite::{Durability, OpenError, SqliteOptions},
};

/// A folder that is removed at the end of the test.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Self {
        let path = std::env::temp_dir().join(format!("metaia-log-{}", uuid::Uuid::new_v4()));
        std::fs::create_dir(&path).unwrap();
        Self(path)
    }

    fn file(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    fn database(&self) -> PathBuf {
        self.file("log.db")
    }

    async fn try_open(&self, retention: Retention) -> Result<SqliteLog, OpenError> {
        SqliteLog::open_with(
            self.database(),
            SqliteOptions::durability(Durability::Normal),
            retention,
        )
        .await
    }

    async fn open(&self) -> SqliteLog {
        self.try_open(Retention::DISK).await.unwrap()
    }

    /// Changes the database without the log.
    fn alter(&self, sql: &str) {
        let db = Connection::open(self.database()).unwrap();
        db.execute_batch(sql).unwrap();
        assert!(db.changes() > 0, "{sql} changes nothing");
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn room(r: u8) -> Room {
    Room::User(format!("u{r}").parse().unwrap())
}

fn rooms(of: impl IntoIterator<Item = u8>) -> Vec<Room> {
    of.into_iter().map(room).collect()
}

fn entry(of: impl IntoIterator<Item = u8>) -> NewEntry {
    NewEntry::event(rooms(of), ("e", json!({ "text": "ä \"quoted\"\n" }))).unwrap()
}

fn entries(count: usize) -> Vec<NewEntry> {
    (0..count).map(|i| entry([(i % 3) as u8])).collect()
}

fn numbers(page: &Page) -> Vec<u64> {
    page.entries.iter().map(|entry| entry.n()).collect()
}

impl SqliteLog {
    /// Drops the recent entries from memory: the next read comes from the database.
    fn forget_recent(&self) {
        self.state.tail.lock().clear();
    }

    async fn all(&self) -> Page {
        self.read(None, 0, 10_000).await.unwrap()
    }
}

//! Nodes that share a MongoDB, with real servers.

mod contract;
mod devices;
mod directory;
mod faults;
mod latencies;
mod nodes;
mod records;
mod revocations;
mod unreadable;

use metaia_realtime::{
    EventLog, NewEntry, Position, Room,
    log::{Entry, Retention},
    mongo::{Mongo, MongoLog, MongoOptions},
};
use serde_json::json;
use std::sync::Arc;

/// Opens the log of a database, and waits until it is ready.
pub(crate) async fn open_log(uri: &str) -> MongoLog {
    let mongo = Mongo::open(uri, MongoOptions::default()).await.unwrap();
    let log = MongoLog::open(&mongo, Retention::DISK);
    log.ready().await.unwrap();
    log
}

/// Returns a tick with the number `i`.
pub(crate) fn entry(room: Room, i: u64) -> NewEntry {
    NewEntry::event([room], ("tick", json!({ "i": i }))).unwrap()
}

/// Appends a tick, and returns its position.
pub(crate) async fn append(log: &MongoLog, room: Room, i: u64) -> Position {
    log.append(vec![entry(room, i)]).await.unwrap()[0]
}

/// Returns all entries of the log.
pub(crate) async fn all_entries(log: &MongoLog) -> Vec<Arc<Entry>> {
    log.head().await.unwrap();
    log.read(None, 0, usize::MAX).await.unwrap().entries
}

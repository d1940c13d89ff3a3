//! MongoDB, with real servers.

mod contract;
mod devices;
mod directory;
mod faults;
mod nodes;
mod records;

use metaia_realtime::{
    EventLog, NewEntry, Position, Room,
    log::{Entry, Retention},
    mongo::{Mongo, MongoLog, Options},
};
use serde_json::json;
use std::sync::Arc;

/// The log of a database, when it can be read.
pub(crate) async fn opened(uri: &str) -> MongoLog {
    let log = MongoLog::open(
        &Mongo::open(uri, Options::default()).await.unwrap(),
        Retention::DISK,
    );
    log.ready().await.unwrap();
    log
}

pub(crate) fn entry(room: Room, i: u64) -> NewEntry {
    NewEntry::event([room], ("tick", json!({ "i": i }))).unwrap()
}

pub(crate) async fn appended(log: &MongoLog, room: Room, i: u64) -> Position {
    log.append(vec![entry(room, i)]).await.unwrap()[0]
}

/// All entries that the log has.
pub(crate) async fn all(log: &MongoLog) -> Vec<Arc<Entry>> {
    log.head().await.unwrap();
    log.read(None, 0, usize::MAX).await.unwrap().entries
}

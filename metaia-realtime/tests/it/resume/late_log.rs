//! A log that becomes available after the node has started: clients that connect meanwhile wait.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use metaia_realtime::{
    EventLog, MemoryLog, NewEntry, Position, Role, Room,
    log::{Head, History, LogError, Page},
    testing::TestServer,
};
use serde_json::json;
use tokio::sync::watch;

use crate::support::{ready, tick, ticks, user};

/// A log whose every call fails until [`LateLog::arrive`].
#[derive(Clone, Default)]
struct LateLog {
    log: MemoryLog,
    available: Arc<AtomicBool>,
}

impl LateLog {
    fn arrive(&self) {
        self.available.store(true, Ordering::SeqCst);
    }

    fn if_available(&self) -> Result<&MemoryLog, LogError> {
        if self.available.load(Ordering::SeqCst) {
            Ok(&self.log)
        } else {
            Err(LogError::Unavailable("not available yet".into()))
        }
    }
}

impl EventLog for LateLog {
    async fn append(&self, entries: Vec<NewEntry>) -> Result<Vec<Position>, LogError> {
        self.if_available()?.append(entries).await
    }

    async fn head(&self) -> Result<Head, LogError> {
        self.if_available()?.head().await
    }

    async fn read(
        &self,
        rooms: Option<&[Room]>,
        after: u64,
        limit: usize,
    ) -> Result<Page, LogError> {
        self.if_available()?.read(rooms, after, limit).await
    }

    async fn history(&self, n: u64, rooms: &[Room], limit: usize) -> Result<History, LogError> {
        self.if_available()?.history(n, rooms, limit).await
    }

    fn changes(&self) -> watch::Receiver<u64> {
        self.log.changes()
    }
}

#[tokio::test]
async fn a_node_starts_without_its_log_and_serves_once_it_is_available() {
    let log = LateLog::default();
    let past = |i: u64| NewEntry::event([user("c1")], ("tick", json!({ "i": i }))).unwrap();
    let since = log.log.append_now((0..=5).map(past).collect())[0].to_string();
    let server = TestServer::start(|builder| builder.log(log.clone())).await;
    assert!(
        server
            .realtime()
            .send([user("c1")], ("tick", json!({})))
            .await
            .is_err()
    );
    let resuming = server
        .client_builder(Role::Customer, "c1")
        .since(since)
        .connect();
    let connecting = server.client_builder(Role::Customer, "c1").connect();
    let (resumed, connected) = tokio::join!(resuming, connecting);
    let (_resumed, mut missed) = resumed.unwrap();
    let (_connected, mut fresh) = connected.unwrap();
    log.arrive();
    assert_eq!(ticks(&mut missed, 5).await, [1, 2, 3, 4, 5]);
    assert!(ready(&mut missed).await.recovered);
    assert!(!ready(&mut fresh).await.recovered);
    tick(server.realtime(), user("c1"), 6).await;
    assert_eq!(ticks(&mut missed, 1).await, [6]);
    assert_eq!(ticks(&mut fresh, 1).await, [6]);
}

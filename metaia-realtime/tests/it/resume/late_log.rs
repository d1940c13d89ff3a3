//! A log that comes later than the node: who connects meanwhile waits for it.

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

use crate::{ready, tick, ticks, user};

/// A log that answers nothing until it has come.
#[derive(Clone, Default)]
struct LateLog {
    log: MemoryLog,
    here: Arc<AtomicBool>,
}

impl LateLog {
    fn come(&self) {
        self.here.store(true, Ordering::SeqCst);
    }

    fn if_here(&self) -> Result<&MemoryLog, LogError> {
        let here = self.here.load(Ordering::SeqCst);
        if here {
            Ok(&self.log)
        } else {
            Err(LogError::Unavailable("not here yet".into()))
        }
    }
}

impl EventLog for LateLog {
    async fn append(&self, entries: Vec<NewEntry>) -> Result<Vec<Position>, LogError> {
        self.if_here()?.append(entries).await
    }

    async fn head(&self) -> Result<Head, LogError> {
        self.if_here()?.head().await
    }

    async fn read(
        &self,
        rooms: Option<&[Room]>,
        after: u64,
        limit: usize,
    ) -> Result<Page, LogError> {
        self.if_here()?.read(rooms, after, limit).await
    }

    async fn history(&self, n: u64, rooms: &[Room], limit: usize) -> Result<History, LogError> {
        self.if_here()?.history(n, rooms, limit).await
    }

    fn changes(&self) -> watch::Receiver<u64> {
        self.log.changes()
    }
}

#[tokio::test]
async fn a_node_begins_without_its_log_and_serves_when_it_comes() {
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
    let coming_back = server
        .client_builder(Role::Customer, "c1")
        .since(since)
        .connect();
    let coming = server.client_builder(Role::Customer, "c1").connect();
    let (back, new) = tokio::join!(coming_back, coming);
    let ((_back, mut missed), (_new, mut fresh)) = (back.unwrap(), new.unwrap());
    log.come();
    assert_eq!(ticks(&mut missed, 5).await, [1, 2, 3, 4, 5]);
    assert!(ready(&mut missed).await.recovered);
    assert!(!ready(&mut fresh).await.recovered);
    tick(server.realtime(), user("c1"), 6).await;
    assert_eq!(ticks(&mut missed, 1).await, [6]);
    assert_eq!(ticks(&mut fresh, 1).await, [6]);
}

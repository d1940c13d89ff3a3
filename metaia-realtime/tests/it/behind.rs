//! A dispatcher that is behind its log: whoever comes meanwhile begins where the log is.

use std::{
    future::Future,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use metaia_realtime::{
    EventLog, MemoryLog, NewEntry, Position, Role, Room,
    client::Update,
    log::{Head, History, LogError, Page},
    testing::{TestServer, eventually},
};
use tokio::sync::{Semaphore, watch};

use crate::{event, next, tick, user};

/// A log whose tail can be read only while the gate is open, and which counts who asks for its head.
struct GatedLog {
    log: MemoryLog,
    gate: Arc<Semaphore>,
    asked: Arc<AtomicUsize>,
}

impl EventLog for GatedLog {
    fn append(&self, entries: Vec<NewEntry>) -> impl Future<Output = Result<Vec<Position>, LogError>> + Send {
        self.log.append(entries)
    }

    fn head(&self) -> impl Future<Output = Result<Head, LogError>> + Send {
        self.asked.fetch_add(1, Ordering::SeqCst);
        self.log.head()
    }

    async fn read(&self, rooms: Option<&[Room]>, after: u64, limit: usize) -> Result<Page, LogError> {
        let page = self.log.read(rooms, after, limit).await?;
        if rooms.is_none() && !page.entries.is_empty() {
            drop(self.gate.acquire().await);
        }
        Ok(page)
    }

    fn history(
        &self,
        n: u64,
        rooms: &[Room],
        limit: usize,
    ) -> impl Future<Output = Result<History, LogError>> + Send {
        self.log.history(n, rooms, limit)
    }

    fn changes(&self) -> watch::Receiver<u64> {
        self.log.changes()
    }
}

#[tokio::test]
async fn who_connects_gets_nothing_that_was_committed_before() {
    let (gate, asked) = (Arc::new(Semaphore::new(0)), Arc::new(AtomicUsize::new(0)));
    let log = GatedLog { log: MemoryLog::default(), gate: Arc::clone(&gate), asked: Arc::clone(&asked) };
    let server = TestServer::start(|builder| builder.log(log)).await;
    let before = tick(server.realtime(), user("c1"), 1).await;

    let (_client, mut updates) = server.client_builder(Role::Customer, "c1").start().unwrap();
    eventually("the session to ask where the log is", || asked.load(Ordering::SeqCst) == 3).await;
    gate.add_permits(1);
    let ready = next(&mut updates, "rt:ready", |update| match update {
        Update::Ready(ready) => Some(ready),
        Update::Event(event) => panic!("{} came, which is older than the connection", event.name),
        _ => None,
    })
    .await;
    assert_eq!(ready.at.as_deref(), Some(before.as_str()));
    tick(server.realtime(), user("c1"), 2).await;
    assert_eq!(event(&mut updates, "tick").await.data["i"], 2);
}

//! What the log is asked for: where it is, by those who come while the dispatcher is behind it, and
//! nothing by those who come back in time.

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
use serde_json::json;
use tokio::sync::{Semaphore, watch};

use crate::{event, next, order, ready, support::policy::Policy, tick, ticks, user};

/// A log whose tail can be read only while the gate is open, and which counts who asks for its
/// head, or for the past, and how many entries of the past were handed out at once.
#[derive(Clone)]
struct GatedLog {
    log: MemoryLog,
    gate: Arc<Semaphore>,
    asked: Arc<AtomicUsize>,
    searched: Arc<AtomicUsize>,
    most: Arc<AtomicUsize>,
}

impl GatedLog {
    fn new(permits: usize) -> Self {
        let gate = Arc::new(Semaphore::new(permits));
        let log = MemoryLog::default();
        Self {
            log,
            gate,
            asked: Arc::default(),
            searched: Arc::default(),
            most: Arc::default(),
        }
    }
}

impl EventLog for GatedLog {
    fn append(
        &self,
        entries: Vec<NewEntry>,
    ) -> impl Future<Output = Result<Vec<Position>, LogError>> + Send {
        self.log.append(entries)
    }

    fn head(&self) -> impl Future<Output = Result<Head, LogError>> + Send {
        self.asked.fetch_add(1, Ordering::SeqCst);
        self.log.head()
    }

    async fn read(
        &self,
        rooms: Option<&[Room]>,
        after: u64,
        limit: usize,
    ) -> Result<Page, LogError> {
        let page = self.log.read(rooms, after, limit).await?;
        if rooms.is_none() && !page.entries.is_empty() {
            drop(self.gate.acquire().await);
        }
        if rooms.is_some() {
            self.searched.fetch_add(1, Ordering::SeqCst);
            self.most.fetch_max(page.entries.len(), Ordering::SeqCst);
        }
        Ok(page)
    }

    fn history(
        &self,
        n: u64,
        rooms: &[Room],
        limit: usize,
    ) -> impl Future<Output = Result<History, LogError>> + Send {
        self.searched.fetch_add(1, Ordering::SeqCst);
        self.log.history(n, rooms, limit)
    }

    fn changes(&self) -> watch::Receiver<u64> {
        self.log.changes()
    }
}

#[tokio::test]
async fn who_connects_gets_nothing_that_was_committed_before() {
    let log = GatedLog::new(0);
    let (gate, asked) = (Arc::clone(&log.gate), Arc::clone(&log.asked));
    let server = TestServer::start(|builder| builder.log(log)).await;
    let before = tick(server.realtime(), user("c1"), 1).await;

    let (_client, mut updates) = server.client_builder(Role::Customer, "c1").start().unwrap();
    eventually("the session to ask where the log is", || {
        asked.load(Ordering::SeqCst) == 3
    })
    .await;
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

#[tokio::test]
async fn who_comes_back_in_time_asks_for_nothing_after_a_restart_either() {
    let log = GatedLog::new(1);
    let first = TestServer::start(|builder| builder.log(log.clone())).await;
    let since = tick(first.realtime(), user("c1"), 0).await;
    for i in 1..=100 {
        tick(first.realtime(), user("c1"), i).await;
    }
    let second = TestServer::start(|builder| builder.log(log.clone())).await;
    for server in [&first, &second] {
        let coming = server.client_builder(Role::Customer, "c1").since(&since);
        let (_client, mut updates) = coming.connect().await.unwrap();
        assert_eq!(
            ticks(&mut updates, 100).await,
            (1..=100).collect::<Vec<_>>()
        );
        assert!(ready(&mut updates).await.recovered);
        assert_eq!(log.searched.load(Ordering::SeqCst), 0);
    }
    // Further back than the window: then the log is asked.
    let others = (0..4_096).map(|_| NewEntry::event([user("c2")], ("tick", json!({}))).unwrap());
    log.append(others.collect()).await.unwrap();
    let coming = first.client_builder(Role::Customer, "c1").since(&since);
    let (_client, mut updates) = coming.connect().await.unwrap();
    assert_eq!(
        ticks(&mut updates, 100).await,
        (1..=100).collect::<Vec<_>>()
    );
    assert!(log.searched.load(Ordering::SeqCst) > 0);
}

/// A client that joins with an old position and reads nothing would else keep thousands of entries
/// in memory.
#[tokio::test]
async fn a_room_is_replayed_a_page_at_a_time() {
    let log = GatedLog::new(Semaphore::MAX_PERMITS);
    let most = Arc::clone(&log.most);
    let server = TestServer::start(|builder| builder.log(log).order_access(Policy::new())).await;
    let since = tick(server.realtime(), order("o1"), 0).await;
    for i in 1..=400 {
        tick(server.realtime(), order("o1"), i).await;
    }
    let (client, mut updates) = server.client(Role::Customer, "c1").await;
    let joined = client.join_order_since("o1", &since).await.unwrap();
    assert_eq!((joined.recovered, joined.replayed), (true, 400));
    assert_eq!(
        ticks(&mut updates, 400).await,
        (1..=400).collect::<Vec<_>>()
    );
    assert!(
        (1..=64).contains(&most.load(Ordering::SeqCst)),
        "{most:?} at once"
    );
}

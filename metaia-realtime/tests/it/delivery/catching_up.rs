//! Reads of the log by sessions: a client that connects while the dispatcher lags reads the head; a
//! client that reconnects in time reads nothing.

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

use crate::support::{event, next, order, policy::Policy, ready, tick, ticks, user};

/// A log whose new entries can be read only while the gate is open. It counts the reads.
#[derive(Clone)]
struct GatedLog {
    log: MemoryLog,
    gate: Arc<Semaphore>,
    /// Reads of the head.
    head_reads: Arc<AtomicUsize>,
    /// Reads of past entries.
    past_reads: Arc<AtomicUsize>,
    /// The most past entries that one read returned.
    largest_page: Arc<AtomicUsize>,
}

impl GatedLog {
    fn new(permits: usize) -> Self {
        let gate = Arc::new(Semaphore::new(permits));
        let log = MemoryLog::default();
        Self {
            log,
            gate,
            head_reads: Arc::default(),
            past_reads: Arc::default(),
            largest_page: Arc::default(),
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
        self.head_reads.fetch_add(1, Ordering::SeqCst);
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
            self.past_reads.fetch_add(1, Ordering::SeqCst);
            self.largest_page
                .fetch_max(page.entries.len(), Ordering::SeqCst);
        }
        Ok(page)
    }

    fn history(
        &self,
        n: u64,
        rooms: &[Room],
        limit: usize,
    ) -> impl Future<Output = Result<History, LogError>> + Send {
        self.past_reads.fetch_add(1, Ordering::SeqCst);
        self.log.history(n, rooms, limit)
    }

    fn changes(&self) -> watch::Receiver<u64> {
        self.log.changes()
    }
}

#[tokio::test]
async fn a_new_client_receives_nothing_that_was_committed_before() {
    let log = GatedLog::new(0);
    let gate = Arc::clone(&log.gate);
    let head_reads = Arc::clone(&log.head_reads);
    let server = TestServer::start(|builder| builder.log(log)).await;
    let before = tick(server.realtime(), user("c1"), 1).await;

    let (_client, mut updates) = server.client_builder(Role::Customer, "c1").start().unwrap();
    eventually("the session to read the head", || {
        head_reads.load(Ordering::SeqCst) == 3
    })
    .await;
    gate.add_permits(1);
    let ready = next(&mut updates, "rt:ready", |update| match update {
        Update::Ready(ready) => Some(ready),
        Update::Event(event) => {
            panic!("{} arrived, which is older than the connection", event.name)
        }
        _ => None,
    })
    .await;
    assert_eq!(ready.at.as_deref(), Some(before.as_str()));
    tick(server.realtime(), user("c1"), 2).await;
    assert_eq!(event(&mut updates, "tick").await.data["i"], 2);
}

#[tokio::test]
async fn a_client_that_reconnects_in_time_causes_no_log_reads_even_after_a_restart() {
    let log = GatedLog::new(1);
    let first = TestServer::start(|builder| builder.log(log.clone())).await;
    let since = tick(first.realtime(), user("c1"), 0).await;
    for i in 1..=100 {
        tick(first.realtime(), user("c1"), i).await;
    }
    let second = TestServer::start(|builder| builder.log(log.clone())).await;
    for server in [&first, &second] {
        let builder = server.client_builder(Role::Customer, "c1").since(&since);
        let (_client, mut updates) = builder.connect().await.unwrap();
        assert_eq!(
            ticks(&mut updates, 100).await,
            (1..=100).collect::<Vec<_>>()
        );
        assert!(ready(&mut updates).await.recovered);
        assert_eq!(log.past_reads.load(Ordering::SeqCst), 0);
    }
    // Now the position is before the window, so the session reads the log.
    let others = (0..4_096).map(|_| NewEntry::event([user("c2")], ("tick", json!({}))).unwrap());
    log.append(others.collect()).await.unwrap();
    let builder = first.client_builder(Role::Customer, "c1").since(&since);
    let (_client, mut updates) = builder.connect().await.unwrap();
    assert_eq!(
        ticks(&mut updates, 100).await,
        (1..=100).collect::<Vec<_>>()
    );
    assert!(log.past_reads.load(Ordering::SeqCst) > 0);
}

/// Otherwise, a client that joins with an old position and reads nothing would keep thousands of
/// entries in memory.
#[tokio::test]
async fn a_room_is_replayed_a_page_at_a_time() {
    let log = GatedLog::new(Semaphore::MAX_PERMITS);
    let largest_page = Arc::clone(&log.largest_page);
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
        (1..=64).contains(&largest_page.load(Ordering::SeqCst)),
        "{largest_page:?} entries in one page"
    );
}

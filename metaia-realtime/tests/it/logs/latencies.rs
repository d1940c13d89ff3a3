//! The durations of deliveries and publishes: what is counted, once each, and for which transport.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use metaia_realtime::{
    EventLog, MemoryLog, NewEntry, NodeStats, Position, Role, Room,
    log::{Entry, Head, History, LogError, Page},
    metrics::{Histogram, MetricKind, MetricValue},
    testing::{TestServer, eventually},
};
use serde_json::json;
use tokio::sync::watch;

use crate::support::{poller::Poller, raw_socket::RawSocket, tick, user};

type Histograms = BTreeMap<&'static str, Histogram>;

/// Returns the counts of websocket and polling.
fn counts(histograms: &Histograms) -> (u64, u64) {
    let count = |transport| histograms[transport].count();
    (count("websocket"), count("polling"))
}

/// Waits until so many live entries were handed over and written, over a WebSocket and to pollers.
async fn check_counts(server: &TestServer, expected: (u64, u64)) -> NodeStats {
    let stats = || server.realtime().stats();
    eventually("every write is recorded", || {
        counts(&stats().commit_to_write) == expected
    })
    .await;
    let stats = stats();
    assert_eq!(counts(&stats.commit_to_hand_over), expected);
    stats
}

/// Checks that every entry was written after it was handed over.
fn check_order(stats: &NodeStats, transport: &str) {
    let handed_over = &stats.commit_to_hand_over[transport];
    let written = &stats.commit_to_write[transport];
    assert!(handed_over.sum_micros > 0, "{handed_over:?}");
    assert!(handed_over.sum_micros <= written.sum_micros, "{stats:?}");
}

#[tokio::test]
async fn live_deliveries_over_a_websocket_are_timed_and_replayed_ones_are_not() {
    let server = TestServer::start(|builder| builder).await;
    let since = tick(server.realtime(), user("c1"), 0).await;
    tick(server.realtime(), user("c1"), 1).await;
    let auth = json!({ "since": since });
    let mut socket = RawSocket::connect_until_ready(&server, Role::Customer, "c1", auth).await;
    for number in 2..7 {
        tick(server.realtime(), user("c1"), number).await;
    }
    server
        .realtime()
        .volatile()
        .broadcast(("at", [1, 2]))
        .unwrap();
    socket.until(r#"42["at""#).await;
    let stats = check_counts(&server, (5, 0)).await;
    check_order(&stats, "websocket");
    assert_eq!(
        (stats.replayed, stats.publish_to_commit["memory"].count()),
        (1, 7)
    );
}

#[tokio::test]
async fn live_deliveries_to_a_poller_are_timed_when_its_poll_is_answered() {
    let server = TestServer::start(|builder| builder).await;
    let poller = Poller::connect_until_ready(&server, Role::Customer, "c1").await;
    for number in 0..40 {
        tick(server.realtime(), user("c1"), number).await;
    }
    let stats = server.realtime().stats();
    assert_eq!(counts(&stats.commit_to_write), (0, 0), "nobody polls");
    poller.receive_until(&server, r#"42["tick",{"i":39,"#).await;
    let stats = check_counts(&server, (0, 40)).await;
    check_order(&stats, "polling");
}

#[tokio::test]
async fn live_deliveries_after_an_upgrade_are_those_of_a_websocket() {
    let server = TestServer::start(|builder| builder).await;
    let poller = Poller::connect_until_ready(&server, Role::Customer, "c1").await;
    tick(server.realtime(), user("c1"), 0).await;
    poller.receive_until(&server, r#"42["tick",{"i":0,"#).await;
    let mut socket = poller.upgrade(&server).await;
    // The answer comes after the upgrade.
    socket.send(r#"421["leave_order_room","o1"]"#).await;
    socket.until("431").await;
    tick(server.realtime(), user("c1"), 1).await;
    socket.until(r#"42["tick",{"i":1,"#).await;
    check_counts(&server, (1, 1)).await;
}

#[tokio::test]
async fn each_session_of_a_room_counts_and_a_publish_of_several_entries_counts_once() {
    let server = TestServer::start(|builder| builder).await;
    let mut sockets = Vec::new();
    for number in 0..3 {
        let user = format!("a{number}");
        sockets.push(RawSocket::connect_until_ready(&server, Role::Admin, &user, json!({})).await);
    }
    let admins = || NewEntry::event([Room::Role(Role::Admin)], ("hello", json!({}))).unwrap();
    server
        .realtime()
        .publish(vec![admins(), admins()])
        .await
        .unwrap();
    let stats = check_counts(&server, (6, 0)).await;
    assert_eq!(stats.publish_to_commit["memory"].count(), 1);
}

/// A log of an embedder, whose entries have been on their way for `age_ms`.
#[derive(Clone)]
struct FarLog {
    log: MemoryLog,
    age_ms: i64,
}

impl FarLog {
    fn aged(&self, entry: &Entry) -> Arc<Entry> {
        let position = entry.position();
        let ts = entry.ts() - self.age_ms;
        let content = entry.content().clone();
        Arc::new(Entry::new(position.epoch(), entry.n(), ts, content))
    }
}

impl EventLog for FarLog {
    async fn append(&self, entries: Vec<NewEntry>) -> Result<Vec<Position>, LogError> {
        self.log.append(entries).await
    }

    async fn head(&self) -> Result<Head, LogError> {
        self.log.head().await
    }

    async fn read(
        &self,
        rooms: Option<&[Room]>,
        after: u64,
        limit: usize,
    ) -> Result<Page, LogError> {
        let mut page = self.log.read(rooms, after, limit).await?;
        page.entries = page.entries.iter().map(|entry| self.aged(entry)).collect();
        Ok(page)
    }

    async fn history(&self, n: u64, rooms: &[Room], limit: usize) -> Result<History, LogError> {
        self.log.history(n, rooms, limit).await
    }

    fn changes(&self) -> watch::Receiver<u64> {
        self.log.changes()
    }
}

/// Delivers one entry with the age, and returns the histograms.
async fn deliver_with_age(age_ms: i64) -> NodeStats {
    let far = FarLog {
        log: MemoryLog::default(),
        age_ms,
    };
    let server = TestServer::start(|builder| builder.log(far)).await;
    let auth = json!({});
    let _socket = RawSocket::connect_until_ready(&server, Role::Customer, "c1", auth).await;
    tick(server.realtime(), user("c1"), 0).await;
    check_counts(&server, (1, 0)).await
}

#[tokio::test]
async fn an_entry_of_an_own_log_is_as_old_as_its_time_says() {
    let stats = deliver_with_age(60_000).await;
    let handed_over = &stats.commit_to_hand_over["websocket"];
    assert!(handed_over.sum_micros >= 60_000_000, "{handed_over:?}");
    assert_eq!(stats.publish_to_commit["custom"].count(), 1);
}

#[tokio::test]
async fn an_entry_whose_time_has_yet_to_come_is_new() {
    let stats = deliver_with_age(-86_400_000).await;
    let handed_over = &stats.commit_to_hand_over["websocket"];
    let longest = handed_over.quantile(1.0).unwrap().at_most.unwrap();
    assert!(longest <= Duration::from_secs(10), "{handed_over:?}");
}

#[cfg(feature = "sqlite")]
#[tokio::test]
async fn the_commit_to_sqlite_is_timed_under_its_name() {
    let name = format!(
        "metaia-latencies-{}",
        metaia_realtime::values::EventId::random()
    );
    let folder = std::env::temp_dir().join(name);
    std::fs::create_dir_all(&folder).unwrap();
    let log = metaia_realtime::SqliteLog::open(folder.join("events.db"))
        .await
        .unwrap();
    let server = TestServer::start(|builder| builder.log(log)).await;
    let auth = json!({});
    let _socket = RawSocket::connect_until_ready(&server, Role::Customer, "c1", auth).await;
    tick(server.realtime(), user("c1"), 0).await;
    let stats = check_counts(&server, (1, 0)).await;
    assert_eq!(stats.publish_to_commit["sqlite"].count(), 1);
    std::fs::remove_dir_all(folder).unwrap();
}

#[tokio::test]
async fn an_exporter_gets_each_histogram_by_its_label() {
    let server = TestServer::start(|builder| builder).await;
    let stats = server.realtime().stats();
    let metrics = stats.metrics().into_iter();
    let histograms: Vec<_> = metrics
        .filter(|metric| metric.kind == MetricKind::Histogram)
        .map(|metric| match metric.value {
            MetricValue::HistogramByLabel { label, values } => {
                (metric.name, label, values.keys().copied().collect())
            }
            other => panic!("{other:?}"),
        })
        .collect();
    let transports = vec!["polling", "websocket"];
    let expected = [
        (
            "commit_to_hand_over_seconds",
            "transport",
            transports.clone(),
        ),
        ("commit_to_write_seconds", "transport", transports),
        ("publish_to_commit_seconds", "log", vec!["memory"]),
    ];
    assert_eq!(histograms, expected);
}

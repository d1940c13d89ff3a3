//! `rt:sync`: when it is answered, everything that was committed before has been handed over, or
//! never will be.

use std::sync::{
    Arc, Mutex,
    atomic::{AtomicBool, Ordering},
};

use futures_util::FutureExt as _;
use metaia_realtime::{
    EventLog, MemoryLog, NewEntry, Position, Role, Room,
    client::{Transport, Update},
    log::{Head, History, LogError, Page},
    testing::TestServer,
};
#[cfg(feature = "sqlite")]
use metaia_realtime::{log::SqliteLog, values::EventId};
use serde_json::{Value, json};
use tokio::sync::watch;

use crate::support::{
    connect,
    fences::{check_fences, sync, synced},
    on_each_transport, order,
    policy::Policy,
    raw_client::RawClient,
    tick, user,
};

on_each_transport! {
    #[tokio::test]
    an_answer_follows_everything_that_was_committed_before,
    a_client_that_resumes_is_answered_behind_everything_that_it_missed,
    a_client_that_reads_late_is_answered_behind_everything,
    an_answer_waits_for_a_recheck_and_follows_the_end_of_the_room,
    an_answer_waits_for_the_replay_of_a_room,
    a_session_that_is_held_answers_after_its_start,
    eight_requests_wait_and_do_not_keep_other_events_waiting,
    a_request_that_cannot_be_answered_is_refused,
    a_client_is_told_of_a_new_epoch_before_it_is_answered,
    a_log_that_fails_for_a_moment_is_read_again,
    the_client_of_the_library_has_the_updates_when_it_is_answered,
}

const C1: (Role, &str) = (Role::Customer, "c1");

fn rooms(answer: &Value) -> Vec<&str> {
    let rooms = answer["rooms"].as_array().unwrap();
    rooms.iter().map(|room| room.as_str().unwrap()).collect()
}

#[track_caller]
fn check_is_ok(answer: &Value, at: &str, resets: u64) {
    assert_eq!(answer["status"], "ok", "{answer}");
    assert_eq!(answer["at"], at, "{answer}");
    assert_eq!(answer["resets"], resets, "{answer}");
}

async fn an_answer_follows_everything_that_was_committed_before(transport: Transport) {
    let server = TestServer::start(|builder| builder).await;
    let mut socket = RawClient::connect_until_ready(&server, transport, C1, json!({})).await;
    for round in 0..10 {
        let mut last = String::new();
        for i in 0..50 {
            last = tick(server.realtime(), user("c1"), i).await;
        }
        sync(&mut socket, round).await;
        let (answer, ticks) = synced(&mut socket, round).await;
        assert_eq!(ticks, (0..50).collect::<Vec<_>>());
        check_is_ok(&answer, &last, 0);
        assert_eq!(rooms(&answer), ["customer-room", "user-c1"]);
    }
}

async fn a_client_that_resumes_is_answered_behind_everything_that_it_missed(transport: Transport) {
    let server = TestServer::start(|builder| builder).await;
    let since = tick(server.realtime(), user("c1"), 0).await;
    let mut last = String::new();
    for i in 1..=1_000 {
        last = tick(server.realtime(), user("c1"), i).await;
    }
    let mut socket = RawClient::connect(&server, transport, C1, json!({ "since": since })).await;
    sync(&mut socket, 1).await;
    let (answer, ticks) = synced(&mut socket, 1).await;
    check_is_ok(&answer, &last, 0);
    // A client that upgrades may have received some before.
    let first = ticks.first().copied().unwrap_or(1_001);
    assert_eq!(ticks, (first..=1_000).collect::<Vec<_>>());
}

async fn a_client_that_reads_late_is_answered_behind_everything(transport: Transport) {
    let server = TestServer::start(|builder| builder).await;
    let mut socket = RawClient::connect_until_ready(&server, transport, C1, json!({})).await;
    let text = "x".repeat(1_000);
    for i in 0..2_000 {
        let event = ("tick", json!({ "i": i, "text": text }));
        server.realtime().send([user("c1")], event).await.unwrap();
    }
    sync(&mut socket, 1).await;
    let (answer, ticks) = synced(&mut socket, 1).await;
    assert_eq!(answer["status"], "ok", "{answer}");
    assert_eq!(ticks, (0..2_000).collect::<Vec<_>>());
}

/// Connects a client that is in the room of order `o1`.
async fn in_room<'a>(server: &'a TestServer, transport: Transport) -> RawClient<'a> {
    let auth = json!({ "orders": ["o1"] });
    RawClient::connect_until_ready(server, transport, C1, auth).await
}

async fn recheck(server: &TestServer) {
    let order = "o1".parse().unwrap();
    server.realtime().recheck_order(&order).await.unwrap();
}

/// Sends an event that is answered at once, and returns what comes before the answer.
async fn before_an_ack(socket: &mut RawClient<'_>) -> Vec<String> {
    socket.send(r#"42999["leave_order_room","o9"]"#).await;
    let mut before = Vec::new();
    loop {
        let packet = socket.next().await.expect("an ack");
        if packet.starts_with("43999") {
            return before;
        }
        before.push(packet);
    }
}

async fn an_answer_waits_for_a_recheck_and_follows_the_end_of_the_room(transport: Transport) {
    let policy = Policy::new();
    let server = TestServer::start(|builder| builder.order_access(policy.clone())).await;
    let mut socket = in_room(&server, transport).await;
    policy.deny("c1");
    policy.pause();
    recheck(&server).await;
    tick(server.realtime(), order("o1"), 1).await;
    tick(server.realtime(), user("c1"), 2).await;
    sync(&mut socket, 1).await;
    assert_eq!(before_an_ack(&mut socket).await, [""; 0]);
    policy.resume();
    socket.until(r#"42["rt:room_left""#).await;
    let (answer, ticks) = synced(&mut socket, 1).await;
    assert_eq!(ticks, [2]);
    let at_request = ["customer-room", "user-c1", "order-o1"];
    assert_eq!(rooms(&answer), at_request, "the rooms at the request");
}

async fn an_answer_waits_for_the_replay_of_a_room(transport: Transport) {
    let server = TestServer::start(|builder| builder.order_access(Policy::new())).await;
    let since = tick(server.realtime(), order("o1"), 0).await;
    for i in 1..=400 {
        tick(server.realtime(), order("o1"), i).await;
    }
    let mut socket = RawClient::connect_until_ready(&server, transport, C1, json!({})).await;
    let join = json!(["join_order_room", { "orderId": "o1", "since": since }]);
    socket.send(format!("421{join}")).await;
    sync(&mut socket, 2).await;
    let (joined, ticks) = synced(&mut socket, 1).await;
    assert_eq!(joined["replayed"], 400, "{joined}");
    assert_eq!(ticks, (1..=400).collect::<Vec<_>>());
    let (answer, ticks) = synced(&mut socket, 2).await;
    assert_eq!(answer["status"], "ok", "{answer}");
    assert_eq!(rooms(&answer), ["customer-room", "user-c1", "order-o1"]);
    assert_eq!(ticks, [0; 0]);
}

async fn a_session_that_is_held_answers_after_its_start(transport: Transport) {
    let server = TestServer::start(|builder| builder).await;
    let since = tick(server.realtime(), user("c1"), 0).await;
    let last = tick(server.realtime(), user("c1"), 1).await;
    let mut socket = RawClient::connect(&server, transport, C1, json!({ "hold": true })).await;
    sync(&mut socket, 1).await;
    let resume = json!(["rt:resume", { "since": since }]);
    socket.send(format!("422{resume}")).await;
    let (answer, ticks) = synced(&mut socket, 1).await;
    check_is_ok(&answer, &last, 0);
    assert_eq!(ticks, [1]);
}

async fn eight_requests_wait_and_do_not_keep_other_events_waiting(transport: Transport) {
    let policy = Policy::new();
    let server = TestServer::start(|builder| builder.order_access(policy.clone())).await;
    let mut socket = in_room(&server, transport).await;
    policy.pause();
    recheck(&server).await;
    for id in 1..=9 {
        sync(&mut socket, id).await;
    }
    let refused = r#"439[{"status":"error","code":"rate_limited"}]"#;
    assert_eq!(before_an_ack(&mut socket).await, [refused]);
    policy.resume();
    for id in 1..=8 {
        let packet = socket.next().await.unwrap();
        let expected = format!(r#"43{id}[{{"status":"ok""#);
        assert!(packet.starts_with(&expected), "{packet}");
    }
    sync(&mut socket, 10).await;
    assert_eq!(synced(&mut socket, 10).await.0["status"], "ok");
}

async fn a_request_that_cannot_be_answered_is_refused(transport: Transport) {
    let server = TestServer::start(|builder| builder).await;
    let mut socket = RawClient::connect_until_ready(&server, transport, C1, json!({})).await;
    let malformed = r#"[{"status":"error","code":"malformed"}]"#;
    for (sent, expected) in [
        (
            r#"42["rt:sync"]"#,
            r#"42["rt:error",{"event":"rt:sync","code":"malformed","ref":null}]"#.to_owned(),
        ),
        (r#"421["rt:sync",7]"#, format!("431{malformed}")),
        (r#"422["rt:sync",[]]"#, format!("432{malformed}")),
        (r#"423["rt:sync",{"at":"x"}]"#, format!("433{malformed}")),
    ] {
        socket.send(sent).await;
        assert_eq!(socket.next().await.unwrap(), expected, "{sent}");
    }
    for sent in [r#"424["rt:sync"]"#, r#"424["rt:sync",null]"#] {
        socket.send(sent).await;
        assert_eq!(synced(&mut socket, 4).await.0["status"], "ok", "{sent}");
    }
}

/// A log of an embedder's that can be restored while a node runs, read late, and fail.
#[derive(Clone)]
struct OddLog {
    log: Arc<Mutex<MemoryLog>>,
    changes: watch::Sender<u64>,
    /// False while new entries cannot be read.
    readable: watch::Sender<bool>,
    head_fails: Arc<AtomicBool>,
}

impl OddLog {
    fn new() -> Self {
        Self {
            log: Arc::default(),
            changes: watch::Sender::new(0),
            readable: watch::Sender::new(true),
            head_fails: Arc::default(),
        }
    }

    fn now(&self) -> MemoryLog {
        self.log.lock().unwrap().clone()
    }

    /// Begins a new epoch.
    fn restore(&self) {
        *self.log.lock().unwrap() = MemoryLog::default();
        self.changes.send_replace(0);
    }
}

impl EventLog for OddLog {
    async fn append(&self, entries: Vec<NewEntry>) -> Result<Vec<Position>, LogError> {
        let appended = self.now().append(entries).await;
        let head = *self.now().changes().borrow();
        self.changes.send_replace(head);
        appended
    }

    async fn head(&self) -> Result<Head, LogError> {
        if self.head_fails.swap(false, Ordering::SeqCst) {
            return Err(LogError::Unavailable("not now".into()));
        }
        self.now().head().await
    }

    async fn read(
        &self,
        rooms: Option<&[Room]>,
        after: u64,
        limit: usize,
    ) -> Result<Page, LogError> {
        let mut readable = self.readable.subscribe();
        readable.wait_for(|readable| *readable).await.ok();
        self.now().read(rooms, after, limit).await
    }

    async fn history(&self, n: u64, rooms: &[Room], limit: usize) -> Result<History, LogError> {
        self.now().history(n, rooms, limit).await
    }

    fn changes(&self) -> watch::Receiver<u64> {
        self.changes.subscribe()
    }
}

async fn a_client_is_told_of_a_new_epoch_before_it_is_answered(transport: Transport) {
    let log = OddLog::new();
    let server = TestServer::start(|builder| builder.log(log.clone())).await;
    let mut socket = RawClient::connect_until_ready(&server, transport, C1, json!({})).await;
    log.readable.send_replace(false);
    tick(server.realtime(), user("c1"), 1).await;
    sync(&mut socket, 1).await;
    assert_eq!(
        before_an_ack(&mut socket).await,
        [""; 0],
        "it is not dispatched"
    );
    log.restore();
    log.readable.send_replace(true);
    let reset = socket.until("42[\"rt:reset\"").await;
    let (answer, ticks) = synced(&mut socket, 1).await;
    assert_eq!(ticks, [0; 0]);
    assert_eq!(answer["resets"], 1, "{answer}");
    assert!(
        reset.contains(answer["at"].as_str().unwrap()),
        "{reset} {answer}"
    );
}

async fn a_log_that_fails_for_a_moment_is_read_again(transport: Transport) {
    let log = OddLog::new();
    let server = TestServer::start(|builder| builder.log(log.clone())).await;
    let mut socket = RawClient::connect_until_ready(&server, transport, C1, json!({})).await;
    log.head_fails.store(true, Ordering::SeqCst);
    let last = tick(server.realtime(), user("c1"), 1).await;
    sync(&mut socket, 1).await;
    let (answer, ticks) = synced(&mut socket, 1).await;
    assert_eq!(ticks, [1]);
    check_is_ok(&answer, &last, 0);
}

async fn the_client_of_the_library_has_the_updates_when_it_is_answered(transport: Transport) {
    let server = TestServer::start(|builder| builder).await;
    let (client, mut updates) = connect(&server, transport, Role::Customer, "c1").await;
    let mut last = String::new();
    for i in 0..10 {
        last = tick(server.realtime(), user("c1"), i).await;
    }
    let synced = client.sync().await.unwrap();
    assert_eq!((synced.at, synced.resets), (last, 0));
    assert_eq!(synced.rooms, ["customer-room", "user-c1"]);
    let mut ticks = 0;
    while let Some(Some(update)) = updates.recv().now_or_never() {
        ticks += usize::from(matches!(update, Update::Event(_)));
    }
    assert_eq!(ticks, 10);
}

#[cfg(feature = "sqlite")]
#[tokio::test]
async fn fences_hold_on_a_log_in_sqlite() {
    let folder = std::env::temp_dir().join(format!("metaia-fences-{}", EventId::random()));
    std::fs::create_dir(&folder).unwrap();
    let log = SqliteLog::open(folder.join("log.db")).await.unwrap();
    let server = TestServer::start(|builder| builder.log(log)).await;
    check_fences(server.realtime(), &server).await;
    std::fs::remove_dir_all(&folder).ok();
}

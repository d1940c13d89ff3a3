//! The moment in which a client that polls moves to its WebSocket: nothing is lost, doubled or out
//! of order, and everything that goes on, goes on.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use futures_util::future::join_all;
use metaia_realtime::{
    EventContext, HandlerError, Realtime, Role, Room,
    testing::{TestServer, eventually, within},
};
use serde_json::json;
use tokio::sync::{Barrier, Semaphore};
use tokio_util::task::TaskTracker;

use crate::support::{
    limits,
    poller::Poller,
    raw_socket::{KICKED, RawSocket, http},
    tick, user,
};

const PUBLISHERS: usize = 4;
const EVENTS_EACH: usize = 400;
const CLIENTS: usize = 24;
const ECHOES: usize = 8;

async fn server() -> TestServer {
    TestServer::start(|builder| {
        builder.on("echo", |_: EventContext, i: usize| async move {
            Ok::<_, HandlerError>(i)
        })
    })
    .await
}

/// Waits until the server holds nothing of any client.
async fn is_empty(realtime: &Realtime) {
    eventually("the end of everything", || {
        let census = realtime.census();
        census.sessions == 0 && census.links == 0
    })
    .await;
}

/// The packets that a client has received, by kind.
#[derive(Default)]
struct Received {
    /// The numbers of the events, by publisher.
    events: [Vec<usize>; PUBLISHERS],
    acks: Vec<usize>,
}

impl Received {
    fn take_body(&mut self, body: &str) {
        body.split('\u{1e}').for_each(|packet| self.take(packet));
    }

    fn take(&mut self, packet: &str) {
        if let Some(event) = packet.strip_prefix("42[\"tick\",") {
            let event: serde_json::Value =
                serde_json::from_str(event.strip_suffix(']').unwrap()).unwrap();
            let number = |name: &str| event[name].as_u64().unwrap() as usize;
            self.events[number("publisher")].push(number("i"));
        } else if let Some(ack) = packet.strip_prefix("43") {
            let (id, echo) = ack.split_once('[').unwrap();
            assert_eq!(format!("{id}]"), echo);
            self.acks.push(id.parse().unwrap());
        }
    }

    fn is_complete(&self) -> bool {
        let count: usize = self.events.iter().map(Vec::len).sum();
        count >= PUBLISHERS * EVENTS_EACH && self.acks.len() >= ECHOES
    }

    fn check(&self) {
        let expected: Vec<usize> = (0..EVENTS_EACH).collect();
        for events in &self.events {
            assert_eq!(*events, expected);
        }
        assert_eq!(self.acks, (0..ECHOES).collect::<Vec<_>>());
    }
}

async fn publish(realtime: Realtime, publisher: usize) {
    for i in 0..EVENTS_EACH {
        let event = ("tick", json!({ "publisher": publisher, "i": i }));
        realtime.send([Room::Everyone], event).await.unwrap();
        tokio::task::yield_now().await;
    }
}

fn echo(i: usize) -> String {
    format!(r#"42{i}["echo",{i}]"#)
}

/// Polls a few times, upgrades, and reads to the end. Asks for echoes all the time.
async fn upgrade_and_read(server: Arc<TestServer>, client: usize, start: Arc<Barrier>) -> Received {
    let name = format!("c{client}");
    let poller = Poller::connect_until_ready(&server, Role::Customer, &name).await;
    let mut received = Received::default();
    start.wait().await;
    poller.post(&server, &echo(0)).await;
    for _ in 0..client % 5 {
        received.take_body(&poller.get(&server).await.body);
    }
    let mut websocket = poller.open_websocket().await;
    poller.post(&server, &echo(1)).await;
    websocket.send("2probe").await;
    assert_eq!(websocket.next().await.unwrap(), "3probe");
    poller
        .post(&server, &format!("{}\u{1e}{}", echo(2), echo(3)))
        .await;
    received.take_body(&poller.get(&server).await.body);
    websocket.send_at_once(&["5", &echo(4), &echo(5)]).await;
    websocket.send_at_once(&[&echo(6), &echo(7)]).await;
    while !received.is_complete() {
        received.take(&websocket.next().await.unwrap());
    }
    received
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_clients_that_upgrade_while_others_publish_get_every_event_once() {
    let server = Arc::new(server().await);
    let start = Arc::new(Barrier::new(CLIENTS + PUBLISHERS));
    let tasks = TaskTracker::new();
    let clients = (0..CLIENTS).map(|client| {
        tasks.spawn(upgrade_and_read(
            Arc::clone(&server),
            client,
            Arc::clone(&start),
        ))
    });
    let clients: Vec<_> = clients.collect();
    for publisher in 0..PUBLISHERS {
        let start = Arc::clone(&start);
        let realtime = server.realtime().clone();
        tasks.spawn(async move {
            start.wait().await;
            publish(realtime, publisher).await;
        });
    }
    for client in clients {
        client.await.unwrap().check();
    }
    is_empty(server.realtime()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_user_who_is_disconnected_in_that_moment_is_told_so_once() {
    let server = server().await;
    for round in 0..40 {
        let name = format!("c{round}");
        let poller = Poller::connect_until_ready(&server, Role::Customer, &name).await;
        let mut websocket = poller.open_websocket().await;
        websocket.send("2probe").await;
        websocket.until("3probe").await;
        let user = name.parse().unwrap();
        let switching = async {
            for _ in 0..round % 4 {
                tokio::task::yield_now().await;
            }
            websocket.send("5").await;
            websocket.rest().await
        };
        let kicking = async {
            for _ in 0..round % 3 {
                tokio::task::yield_now().await;
            }
            server.realtime().disconnect_user(&user).await.unwrap();
        };
        let (rest, ()) = tokio::join!(switching, kicking);
        assert_eq!(rest, KICKED, "round {round}");
    }
    is_empty(server.realtime()).await;
}

#[tokio::test]
async fn a_client_that_dies_behind_its_switch_leaves_nothing() {
    let server = server().await;
    let pollers = (0..10).map(|_| Poller::connect_until_ready(&server, Role::Customer, "c1"));
    for poller in join_all(pollers).await {
        drop(poller.upgrade(&server).await);
    }
    is_empty(server.realtime()).await;
}

#[tokio::test]
async fn a_drain_in_that_moment_ends_every_client() {
    let server = server().await;
    let mut websockets = Vec::new();
    for _ in 0..8 {
        let poller = Poller::connect_until_ready(&server, Role::Customer, "c1").await;
        websockets.push(poller.upgrade(&server).await);
    }
    server.realtime().drain(Duration::from_secs(2)).await;
    for mut websocket in websockets {
        let rest = websocket.rest().await;
        let ends = rest.iter().filter(|packet| packet.contains("rt:end"));
        assert_eq!(ends.count(), 1, "{rest:?}");
    }
    is_empty(server.realtime()).await;
}

#[tokio::test]
async fn a_handler_that_runs_answers_over_the_websocket() {
    let gate = Arc::new(Semaphore::new(0));
    let has_begun: Arc<AtomicBool> = Arc::default();
    let server = TestServer::start(|builder| {
        let gate = Arc::clone(&gate);
        let has_begun = Arc::clone(&has_begun);
        builder.on("save", move |_: EventContext, i: u64| {
            let gate = Arc::clone(&gate);
            has_begun.store(true, Ordering::SeqCst);
            async move {
                gate.acquire().await.unwrap().forget();
                Ok::<_, HandlerError>(i)
            }
        })
    })
    .await;
    let poller = Poller::connect_until_ready(&server, Role::Customer, "c1").await;
    let events = "421[\"save\",1]\u{1e}422[\"save\",2]";
    poller.post(&server, events).await;
    eventually("the handler to begin", || has_begun.load(Ordering::SeqCst)).await;
    let mut websocket = poller.upgrade(&server).await;
    tick(server.realtime(), user("c1"), 1).await;
    websocket.until("42[\"tick\"").await;
    gate.add_permits(2);
    assert_eq!(websocket.next().await.unwrap(), "431[1]");
    assert_eq!(websocket.next().await.unwrap(), "432[2]");
}

#[tokio::test]
async fn a_client_may_connect_after_its_upgrade() {
    let server = server().await;
    let token = server.token(Role::Customer, "c1");
    let mut websocket = Poller::open(&server).await.upgrade(&server).await;
    websocket.send("40{\"token\":\"wrong\"}").await;
    websocket.until("44{").await;
    websocket.send(format!("40{{\"token\":\"{token}\"}}")).await;
    websocket.until("42[\"rt:ready\"").await;
    tick(server.realtime(), user("c1"), 1).await;
    websocket.until("42[\"tick\"").await;
    drop(websocket);
    is_empty(server.realtime()).await;
}

#[tokio::test]
async fn the_token_of_the_handshake_goes_along() {
    let server = server().await;
    let token = server.token(Role::Customer, "c1");
    let header = format!("Authorization: Bearer {token}\r\n");
    let poller = Poller::open_with(&server, &header).await;
    let mut websocket = poller.upgrade(&server).await;
    websocket.send("40").await;
    websocket.until("42[\"rt:ready\"").await;
}

#[tokio::test]
async fn a_client_that_waits_for_the_answer_to_its_connect_gets_it_over_the_websocket() {
    let server = server().await;
    let poller = Poller::open(&server).await;
    let token = server.token(Role::Customer, "c1");
    let mut websocket = poller.open_websocket().await;
    websocket.send("2probe").await;
    websocket.until("3probe").await;
    poller
        .post(&server, &format!("40{{\"token\":\"{token}\"}}"))
        .await;
    websocket.send_at_once(&["5", &echo(0)]).await;
    websocket.until("40{").await;
    websocket.until("430[0]").await;
}

#[tokio::test]
async fn a_client_that_never_connects_is_ended_after_its_upgrade_too() {
    let few = limits(|limits| limits.unauthenticated = Duration::from_secs(1));
    let server = TestServer::start(|builder| builder.limits(few)).await;
    let mut websocket = Poller::open(&server).await.upgrade(&server).await;
    let end = tokio::time::timeout(Duration::from_secs(5), websocket.rest());
    assert_eq!(end.await.unwrap(), Vec::<String>::new());
    is_empty(server.realtime()).await;
}

#[tokio::test]
async fn refusals_go_on_counting() {
    let few = limits(|limits| limits.refused_connects = 2);
    let server = TestServer::start(|builder| builder.limits(few)).await;
    let poller = Poller::open(&server).await;
    poller.post(&server, "40{\"token\":\"wrong\"}").await;
    poller.receive_until(&server, "44{").await;
    let mut websocket = poller.upgrade(&server).await;
    websocket.send("40{\"token\":\"wrong\"}").await;
    let rest = websocket.rest().await;
    assert_eq!(rest.len(), 1, "{rest:?}");
    assert!(rest[0].starts_with("44{"));
}

/// The refusal comes in the moment in which the clients move.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn clients_that_are_refused_in_that_moment_are_told_so() {
    let server = Arc::new(server().await);
    let tasks = TaskTracker::new();
    let clients: Vec<_> = (0..200)
        .map(|_| tasks.spawn(refused_while_it_switches(Arc::clone(&server))))
        .collect();
    for client in clients {
        client.await.unwrap();
    }
}

async fn refused_while_it_switches(server: Arc<TestServer>) {
    let poller = Poller::open(&server).await;
    let mut websocket = poller.open_websocket().await;
    websocket.send("2probe").await;
    websocket.until("3probe").await;
    let connect = "40{\"token\":\"wrong\"}";
    let (posted, ()) = tokio::join!(poller.post(&server, connect), websocket.send("5"));
    if posted.status == 200 {
        websocket.until("44{").await;
    }
    // Otherwise it came behind the switch.
}

#[tokio::test]
async fn a_client_that_has_left_may_come_back_over_the_websocket() {
    let server = server().await;
    let poller = Poller::connect_until_ready(&server, Role::Customer, "c1").await;
    poller.post(&server, "41").await;
    let mut websocket = poller.upgrade(&server).await;
    let token = server.token(Role::Customer, "c1");
    for i in 1..=2 {
        websocket.send(format!("40{{\"token\":\"{token}\"}}")).await;
        websocket.until("42[\"rt:ready\"").await;
        tick(server.realtime(), user("c1"), i).await;
        websocket.until("42[\"tick\"").await;
        websocket.send("41").await;
    }
}

#[tokio::test]
async fn a_session_that_awaits_its_resume_goes_on_awaiting_it() {
    let server = server().await;
    let poller = Poller::open(&server).await;
    let token = server.token(Role::Customer, "c1");
    let auth = json!({ "token": token, "hold": true });
    let before = format!("40{auth}\u{1e}{}", echo(1));
    poller.post(&server, &before).await;
    poller.receive_until(&server, "40{").await;
    let mut websocket = poller.upgrade(&server).await;
    websocket.send(r#"422["rt:resume",{}]"#).await;
    websocket.until("42[\"rt:ready\"").await;
    websocket.until("431[1]").await;
}

#[tokio::test]
async fn requests_behind_the_switch_are_refused_and_change_nothing() {
    let server = server().await;
    let poller = Poller::connect_until_ready(&server, Role::Customer, "c1").await;
    let mut websocket = poller.open_websocket().await;
    websocket.send("2probe").await;
    websocket.until("3probe").await;
    websocket.send("5").await;
    tick(server.realtime(), user("c1"), 1).await;
    websocket.until("42[\"tick\"").await;
    for body in ["1", "42[\"echo\",1]"] {
        assert_eq!(poller.post(&server, body).await.status, 400);
    }
    assert_eq!(poller.get(&server).await.status, 400);
    websocket.send("5").await;
    tick(server.realtime(), user("c1"), 2).await;
    websocket.until("42[\"tick\"").await;
    drop(websocket);
    is_empty(server.realtime()).await;
    let gone = http(&server, &format!("GET {}", poller.path()), "", "").await;
    assert_eq!(gone.status, 400);
    assert!(gone.body.contains("Session ID unknown"), "{}", gone.body);
}

/// A client that polls on while it switches: it may lose its session, but not an event unnoticed.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_that_polls_while_it_switches_misses_nothing_unnoticed() {
    let server = server().await;
    for round in 0..20 {
        let name = format!("c{round}");
        let poller = Poller::connect_until_ready(&server, Role::Customer, &name).await;
        let mut websocket = poller.open_websocket().await;
        websocket.send("2probe").await;
        websocket.until("3probe").await;
        let polling = async { poller.get(&server).await.body };
        let switching = async {
            websocket.send("5").await;
            for i in 1..=5 {
                tick(server.realtime(), user(&name), i).await;
            }
        };
        let (polled, ()) = within("both", async { tokio::join!(polling, switching) }).await;
        tick(server.realtime(), user(&name), 6).await;
        let last = last_tick(&mut websocket).await;
        assert!(last.is_none_or(|ticks| ticks + count_ticks(&polled) == 6));
    }
}

fn count_ticks(body: &str) -> usize {
    body.matches("42[\"tick\"").count()
}

/// Returns how many ticks came up to the last one, or `None` if the connection has ended before.
async fn last_tick(websocket: &mut RawSocket) -> Option<usize> {
    let mut ticks = 0;
    loop {
        let packet = websocket.next().await?;
        ticks += count_ticks(&packet);
        if packet.starts_with("42[\"tick\",{\"i\":6,") {
            return Some(ticks);
        }
    }
}

//! Handlers of the embedder's own events.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use futures_util::future::join_all;
use metaia_realtime::{
    EventContext, HandlerError, Role,
    client::Transport,
    testing::{TestServer, eventually},
};
use serde_json::{Value, json};
use tokio::sync::Semaphore;

use crate::support::{
    SOON, connect, disconnected, event, on_each_transport, poller::Poller, raw_client::RawClient,
    raw_socket::RawSocket, reconnected, tick, ticks, user,
};

on_each_transport! {
    #[tokio::test]
    events_are_handled_one_at_a_time_and_in_order_while_deliveries_go_on,
    a_handler_runs_to_its_end_though_the_server_disconnects_its_client,
    nothing_of_a_client_that_left_begins_once_its_user_is_disconnected,
    an_event_that_cannot_be_handled_is_refused,
    a_handler_that_panics_ends_its_session_and_the_client_reconnects,
}

async fn events_are_handled_one_at_a_time_and_in_order_while_deliveries_go_on(
    transport: Transport,
) {
    let gate = Arc::new(Semaphore::new(0));
    let running = Arc::new(AtomicUsize::new(0));
    let handler_gate = Arc::clone(&gate);
    let handler_running = Arc::clone(&running);
    let server = TestServer::start(|builder| {
        builder.on("work", move |_: EventContext, i: u64| {
            let gate = Arc::clone(&handler_gate);
            let running = Arc::clone(&handler_running);
            async move {
                assert_eq!(running.fetch_add(1, Ordering::SeqCst), 0);
                gate.acquire().await.unwrap().forget();
                running.fetch_sub(1, Ordering::SeqCst);
                Ok::<_, HandlerError>(i)
            }
        })
    })
    .await;
    let mut socket =
        RawClient::connect_until_ready(&server, transport, (Role::Customer, "c1"), json!({})).await;
    for i in 0..20 {
        socket.send(format!(r#"42{i}["work",{i}]"#)).await;
    }
    eventually("the first to begin", || running.load(Ordering::SeqCst) == 1).await;
    tick(server.realtime(), user("c1"), 7).await;
    assert!(socket.until("42").await.contains(r#""i":7"#));
    gate.add_permits(20);
    for i in 0..20 {
        assert_eq!(socket.until("43").await, format!("43{i}[{i}]"));
    }
}

/// The handler of the event `save`, which waits until the test lets it go on.
#[derive(Clone)]
struct Saves {
    begun: Arc<AtomicUsize>,
    done: Arc<AtomicUsize>,
    gate: Arc<Semaphore>,
}

impl Saves {
    fn new() -> Self {
        Self {
            begun: Arc::default(),
            done: Arc::default(),
            gate: Arc::new(Semaphore::new(0)),
        }
    }

    async fn server(&self) -> TestServer {
        let saves = self.clone();
        TestServer::start(|builder| {
            builder.on("save", move |_: EventContext, _: u64| {
                let saves = saves.clone();
                async move {
                    saves.begun.fetch_add(1, Ordering::SeqCst);
                    saves.gate.acquire().await.unwrap().forget();
                    saves.done.fetch_add(1, Ordering::SeqCst);
                    Ok::<_, HandlerError>(())
                }
            })
        })
        .await
    }

    async fn eventually_done(&self, count: usize) {
        let done = || self.done.load(Ordering::SeqCst) == count;
        eventually("the handlers to end", done).await;
        assert_eq!(self.begun.load(Ordering::SeqCst), count);
    }
}

const SAVE: &str = r#"42["save",1]"#;

fn connect_packet(server: &TestServer, user: &str) -> String {
    let token = server.token(Role::Customer, user);
    format!("40{}", json!({ "token": token }))
}

#[tokio::test]
async fn what_a_client_sends_before_it_leaves_is_handled_to_the_end() {
    let saves = Saves::new();
    let server = saves.server().await;
    // At the same time: the server closes the transport of the first some seconds later.
    let clients = (0..10).map(async |i| {
        let user = format!("c{i}");
        let connect = connect_packet(&server, &user);
        // Over WebSocket: with DISCONNECT in the same write, or by breaking the connection.
        let mut socket = RawSocket::open(&server).await;
        socket.send_at_once(&[&connect, SAVE, SAVE, "41"]).await;
        socket.rest().await;
        let none = json!({});
        let mut socket = RawSocket::connect_until_ready(&server, Role::Customer, &user, none).await;
        socket.send(SAVE).await;
        socket.send("41").await;
        drop(socket);
        // Over polling, in one POST.
        let poller = Poller::open(&server).await;
        let body = [&connect, SAVE, SAVE, "41"].join("\u{1e}");
        assert_eq!(poller.post(&server, &body).await.status, 200);
    });
    join_all(clients).await;
    eventually("all sessions to end", || {
        server.realtime().local_sessions().is_empty()
    })
    .await;
    saves.gate.add_permits(1_000);
    saves.eventually_done(50).await;
    server.stop().await;
}

async fn a_handler_runs_to_its_end_though_the_server_disconnects_its_client(transport: Transport) {
    let saves = Saves::new();
    let server = saves.server().await;
    let none = json!({});
    let mut socket =
        RawClient::connect_until_ready(&server, transport, (Role::Customer, "c1"), none).await;
    socket.send(SAVE).await;
    socket.send(SAVE).await;
    let begun = || saves.begun.load(Ordering::SeqCst) == 1;
    eventually("the first handler to begin", begun).await;
    let user = "c1".parse().unwrap();
    server.realtime().disconnect_user(&user).await.unwrap();
    socket.rest().await;
    saves.gate.add_permits(1_000);
    saves.eventually_done(1).await;
    server.stop().await;
    saves.eventually_done(1).await;
}

async fn nothing_of_a_client_that_left_begins_once_its_user_is_disconnected(transport: Transport) {
    let saves = Saves::new();
    let server = saves.server().await;
    let none = json!({});
    let mut socket =
        RawClient::connect_until_ready(&server, transport, (Role::Customer, "c1"), none).await;
    for packet in [SAVE, SAVE, "41"] {
        socket.send(packet).await;
    }
    let begun = || saves.begun.load(Ordering::SeqCst) == 1;
    eventually("the first handler to begin", begun).await;
    eventually("the session to end", || {
        server.realtime().local_sessions().is_empty()
    })
    .await;
    let user = "c1".parse().unwrap();
    server.realtime().disconnect_user(&user).await.unwrap();
    saves.gate.add_permits(1_000);
    saves.eventually_done(1).await;
    server.stop().await;
    saves.eventually_done(1).await;
}

async fn an_event_that_cannot_be_handled_is_refused(transport: Transport) {
    let server = TestServer::start(|builder| {
        builder.on("sum", |_, numbers: Vec<u64>| async move {
            Ok::<_, HandlerError>(numbers.iter().sum::<u64>())
        })
    })
    .await;
    let (client, mut updates) = connect(&server, transport, Role::Customer, "c1").await;
    let call =
        async |name: &str, data: Value| client.emit_with_ack(name, data, SOON).await.unwrap();
    assert_eq!(call("sum", json!([1, 2])).await, json!(3));
    assert_eq!(
        call("sum", json!("text")).await,
        json!({ "status": "error", "code": "malformed" })
    );
    assert_eq!(
        call("nothing", json!(1)).await,
        json!({ "status": "error", "code": "unknown_event" })
    );
    assert_eq!(
        call("join_order_room", json!(5)).await,
        json!({ "status": "error", "code": "invalid_order_id" })
    );
    client.emit("nothing", json!(1)).await.unwrap();
    let error = event(&mut updates, "rt:error").await.data;
    assert_eq!(
        (&error["event"], &error["code"]),
        (&json!("nothing"), &json!("unknown_event"))
    );
}

async fn a_handler_that_panics_ends_its_session_and_the_client_reconnects(transport: Transport) {
    let server = TestServer::start(|builder| {
        builder.on("boom", |_: EventContext, boom: bool| async move {
            assert!(!boom, "the test makes the handler panic");
            Ok::<_, HandlerError>(boom)
        })
    })
    .await;
    let (client, mut updates) = connect(&server, transport, Role::Customer, "c1").await;
    client.emit("boom", true).await.unwrap();
    disconnected(&mut updates).await;
    reconnected(&mut updates).await;
    tick(server.realtime(), user("c1"), 1).await;
    assert_eq!(ticks(&mut updates, 1).await, [1]);
    assert_eq!(server.realtime().local_sessions().len(), 1);
}

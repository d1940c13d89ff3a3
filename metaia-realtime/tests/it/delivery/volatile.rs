//! Volatile events, which bypass the log.

use metaia_realtime::{Realtime, Role, Room, client::Transport, testing::TestServer};
use serde_json::{Value, json};

use crate::support::{
    connect, event, limits, number, on_each_transport, order, policy::Policy, poller::Poller,
    raw_client::RawClient, raw_socket::RawSocket, tick, user,
};

on_each_transport! {
    #[tokio::test]
    a_client_that_reads_receives_every_volatile_event_unchanged,
    an_event_that_is_sent_right_after_the_connect_arrives,
    the_newest_of_each_name_and_room_waits_for_a_client_that_has_not_started,
    the_newest_of_each_key_waits_whatever_its_name_and_room,
    beyond_the_limit_the_event_that_was_sent_first_is_dropped,
    large_events_wait_for_a_client_within_a_limit_of_their_bytes,
    one_event_waits_whatever_its_size,
}

/// Connects a client that is handed over nothing until [`resume`].
async fn held(server: &TestServer, transport: Transport) -> RawClient<'_> {
    let who = (Role::Customer, "c1");
    RawClient::connect(server, transport, who, json!({ "hold": true })).await
}

/// Resumes a held client, and checks which volatile events have waited for it.
async fn resume(server: &TestServer, socket: &mut RawClient<'_>, expected: &[Value]) {
    socket.send(r#"420["rt:resume",{}]"#).await;
    socket.until(r#"42["rt:ready""#).await;
    for event in expected {
        assert_eq!(socket.next().await.unwrap(), format!("42{event}"));
    }
    tick(server.realtime(), user("c1"), 1).await;
    let fence = socket.next().await.unwrap();
    assert!(fence.starts_with(r#"42["tick""#), "{fence}");
}

fn volatile(realtime: &Realtime, room: Room, name: &str, i: u32) {
    realtime.volatile().send([room], (name, json!(i))).unwrap();
}

fn keyed(realtime: &Realtime, room: Room, key: &str, i: u32) {
    let sender = realtime.volatile().keyed(key);
    sender.send([room], ("at", json!(i))).unwrap();
}

async fn a_client_that_reads_receives_every_volatile_event_unchanged(transport: Transport) {
    let server = TestServer::start(|builder| builder).await;
    let mut socket =
        RawClient::connect_until_ready(&server, transport, (Role::Customer, "c1"), json!({})).await;
    server
        .realtime()
        .volatile()
        .send([user("c1"), user("c1")], ("at", json!([1, "here"])))
        .unwrap();
    assert_eq!(socket.next().await.unwrap(), r#"42["at",[1,"here"]]"#);
    tick(server.realtime(), user("c1"), 1).await;
    assert!(socket.next().await.unwrap().starts_with(r#"42["tick""#));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_that_reads_late_receives_the_newest() {
    let server = TestServer::start(|builder| builder.order_access(Policy::new())).await;
    let mut socket =
        RawSocket::connect_until_ready(&server, Role::Customer, "c1", json!({ "orders": ["o1"] }))
            .await;
    // Few enough for the credit window, so that the session stays live, and more bytes than the
    // kernel buffers.
    let text = "x".repeat(60_000);
    for i in 0..4 {
        let big = ("big", json!({ "i": i, "text": text }));
        server.realtime().send([user("c1")], big).await.unwrap();
    }
    for i in 0..1_000 {
        server
            .realtime()
            .volatile()
            .send([order("o1")], ("at", json!(i)))
            .unwrap();
    }
    let mut last = String::new();
    while last != r#"42["at",999]"# {
        last = socket.until("42").await;
    }
}

/// Sends 200 events without a pause, and checks that an idle client receives all of them.
async fn all_of_a_burst_arrive(send: impl Fn(&Realtime, u32)) {
    let server = TestServer::start(|builder| builder).await;
    let mut socket = RawSocket::connect_until_ready(&server, Role::Customer, "c1", json!({})).await;
    for _ in 0..3 {
        for i in 0..200 {
            send(server.realtime(), i);
        }
        for i in 0..200 {
            assert_eq!(socket.next().await.unwrap(), format!(r#"42["at",{i}]"#));
        }
    }
}

#[tokio::test]
async fn an_idle_client_receives_every_event_of_one_name() {
    all_of_a_burst_arrive(|realtime, i| volatile(realtime, user("c1"), "at", i)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_idle_client_receives_every_event_of_one_name_on_two_threads() {
    all_of_a_burst_arrive(|realtime, i| volatile(realtime, user("c1"), "at", i)).await;
}

#[tokio::test]
async fn an_idle_client_receives_every_event_of_one_key() {
    all_of_a_burst_arrive(|realtime, i| keyed(realtime, user("c1"), "k", i)).await;
}

#[tokio::test]
async fn an_idle_client_receives_the_events_of_200_keys() {
    all_of_a_burst_arrive(|realtime, i| keyed(realtime, user("c1"), &i.to_string(), i)).await;
}

#[tokio::test]
async fn an_idle_client_that_polls_receives_every_event_of_one_name() {
    let server = TestServer::start(|builder| builder).await;
    let poller = Poller::connect_until_ready(&server, Role::Customer, "c1").await;
    for i in 0..200 {
        volatile(server.realtime(), user("c1"), "at", i);
    }
    let received = poller.receive_until(&server, r#"42["at",199]"#).await;
    let places = received.iter().filter(|packet| packet.starts_with("42"));
    let expected = (0..200).map(|i| format!(r#"42["at",{i}]"#));
    assert!(places.cloned().eq(expected), "{received:?}");
}

async fn an_event_that_is_sent_right_after_the_connect_arrives(transport: Transport) {
    let server = TestServer::start(|builder| builder).await;
    for i in 0..20 {
        let (_client, mut updates) = connect(&server, transport, Role::Customer, "c1").await;
        volatile(server.realtime(), user("c1"), "at", i);
        assert_eq!(event(&mut updates, "at").await.data, i);
    }
}

async fn the_newest_of_each_name_and_room_waits_for_a_client_that_has_not_started(
    transport: Transport,
) {
    let server = TestServer::start(|builder| builder).await;
    let mut socket = held(&server, transport).await;
    let customers = Room::Role(Role::Customer);
    volatile(server.realtime(), user("c1"), "at", 1);
    volatile(server.realtime(), customers.clone(), "at", 2);
    volatile(server.realtime(), user("c1"), "to", 3);
    volatile(server.realtime(), user("c1"), "at", 4);
    // By the room of the role, which is named first.
    let rooms = [customers, user("c1")];
    let both = server.realtime().volatile().send(rooms, ("at", json!(5)));
    both.unwrap();
    let expected = [json!(["at", 4]), json!(["at", 5]), json!(["to", 3])];
    resume(&server, &mut socket, &expected).await;
}

async fn the_newest_of_each_key_waits_whatever_its_name_and_room(transport: Transport) {
    let server = TestServer::start(|builder| builder).await;
    let mut socket = held(&server, transport).await;
    keyed(server.realtime(), user("c1"), "d1", 1);
    keyed(server.realtime(), user("c1"), "d2", 2);
    volatile(server.realtime(), user("c1"), "at", 3);
    keyed(server.realtime(), user("c1"), "d1", 4);
    keyed(server.realtime(), Room::Everyone, "d2", 5);
    let expected = [json!(["at", 4]), json!(["at", 5]), json!(["at", 3])];
    resume(&server, &mut socket, &expected).await;
}

async fn beyond_the_limit_the_event_that_was_sent_first_is_dropped(transport: Transport) {
    let few = limits(|limits| limits.volatile_waiting = 3);
    let server = TestServer::start(|builder| builder.limits(few)).await;
    let mut socket = held(&server, transport).await;
    for (i, key) in (1..).zip(["d1", "d2", "d3", "d1", "d4", "d5"]) {
        keyed(server.realtime(), user("c1"), key, i);
    }
    let expected = [json!(["at", 4]), json!(["at", 5]), json!(["at", 6])];
    resume(&server, &mut socket, &expected).await;
    assert_eq!(server.realtime().stats().volatile_replaced, 3);
}

#[tokio::test]
async fn of_more_events_of_one_name_than_may_wait_an_idle_client_receives_the_newest() {
    let server = TestServer::start(|builder| builder).await;
    // A WebSocket is written at once: nothing waits for an idle one.
    let poller = Poller::connect_until_ready(&server, Role::Customer, "c1").await;
    for i in 0..300 {
        volatile(server.realtime(), user("c1"), "at", i);
    }
    let received = poller.receive_until(&server, r#"42["at",299]"#).await;
    let expected: Vec<String> = (44..300).map(|i| format!(r#"42["at",{i}]"#)).collect();
    assert_eq!(received, expected);
    assert_eq!(server.realtime().stats().volatile_replaced, 44);
}

#[tokio::test]
async fn an_idle_websocket_receives_every_event_of_a_burst() {
    let server = TestServer::start(|builder| builder).await;
    let mut socket = RawSocket::connect_until_ready(&server, Role::Customer, "c1", json!({})).await;
    for i in 0..1_000 {
        volatile(server.realtime(), user("c1"), "at", i);
    }
    for i in 0..1_000 {
        assert_eq!(socket.next().await.unwrap(), format!(r#"42["at",{i}]"#));
    }
    assert_eq!(server.realtime().stats().volatile_replaced, 0);
}

async fn large_events_wait_for_a_client_within_a_limit_of_their_bytes(transport: Transport) {
    let server = TestServer::start(|builder| builder).await;
    let mut socket = held(&server, transport).await;
    let text = "x".repeat(60_000);
    for i in 0..300 {
        let sender = server.realtime().volatile().keyed(i);
        sender.send([user("c1")], ("at", json!([i, text]))).unwrap();
    }
    // 256 KiB.
    let expected = [296, 297, 298, 299].map(|i| json!(["at", [i, text]]));
    resume(&server, &mut socket, &expected).await;
    assert_eq!(server.realtime().stats().volatile_replaced, 296);
}

async fn one_event_waits_whatever_its_size(transport: Transport) {
    let large = limits(|limits| limits.window_bytes = 1_024);
    let server = TestServer::start(|builder| builder.limits(large)).await;
    let mut socket = held(&server, transport).await;
    let text = "x".repeat(60_000);
    keyed(server.realtime(), user("c1"), "small", 1);
    let sender = server.realtime().volatile().keyed("large");
    sender.send([user("c1")], ("at", json!(text))).unwrap();
    resume(&server, &mut socket, &[json!(["at", text])]).await;
}

const COURIERS: u64 = 200;
const ROUNDS: u64 = 50;

/// Reads until every courier's last place and all logged events have come. Checks that the events
/// are in order.
async fn read_all(socket: &mut RawSocket) {
    let mut last_places = 0;
    let mut logged = 0;
    while last_places < COURIERS || logged < ROUNDS * 10 {
        let packet = socket.until("42").await;
        let packet: Value = serde_json::from_str(&packet[2..]).unwrap();
        if packet[0] == "tick" {
            assert_eq!(number(&packet[1]), logged);
            logged += 1;
        } else if packet[1]["i"] == ROUNDS - 1 {
            last_places += 1;
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_admin_who_stalls_loses_no_logged_event_and_no_last_place() {
    let server = TestServer::start(|builder| builder).await;
    let mut stalled = RawSocket::open_with_small_buffer(&server).await;
    let auth = json!({ "token": server.token(Role::Admin, "a1") });
    stalled.send(format!("40{auth}")).await;
    stalled.until(r#"42["rt:ready""#).await;
    let mut reading = RawSocket::connect_until_ready(&server, Role::Admin, "a2", json!({})).await;
    let admins = Room::Role(Role::Admin);
    let publish = async {
        for i in 0..ROUNDS {
            for courier in 0..COURIERS {
                let place = json!({ "courier": courier, "i": i, "text": "x".repeat(200) });
                let sender = server.realtime().volatile().keyed(courier);
                sender
                    .send_to_role(Role::Admin, ("courier_at", place))
                    .unwrap();
            }
            for j in 0..10 {
                tick(server.realtime(), admins.clone(), i * 10 + j).await;
            }
        }
    };
    tokio::join!(publish, read_all(&mut reading));
    read_all(&mut stalled).await;
}

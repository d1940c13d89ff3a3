//! Stored events that are larger than the client takes: they are told, and the others arrive.

use metaia_realtime::{
    Limits, Realtime, Role, Room,
    client::{Transport, Update, Updates},
    testing::{TestServer, within},
};
use serde_json::json;

use crate::support::{limits, number, tick, user};

/// An update that a client received: the number of a tick, or the position of an event that was too
/// large.
#[derive(Debug, PartialEq)]
enum Received {
    Tick(u64),
    TooLarge(String),
}

/// More than the client of this crate takes by default.
const LARGE: usize = 1_100_000;

async fn large(realtime: &Realtime, room: Room, bytes: usize) -> Received {
    let sent = realtime.send([room], ("tick", json!({ "i": 0, "x": "x".repeat(bytes) })));
    Received::TooLarge(sent.await.unwrap().position.to_string())
}

/// Receives this many events over one connection.
async fn received(updates: &mut Updates, count: usize) -> Vec<Received> {
    let mut received = Vec::new();
    while received.len() < count {
        match within("an event", updates.recv()).await.unwrap() {
            Update::Event(event) => received.push(Received::Tick(number(&event.data))),
            Update::TooLarge { at } => received.push(Received::TooLarge(at.unwrap())),
            Update::Disconnected(reason) => panic!("disconnected: {reason}"),
            _ => {}
        }
    }
    received
}

async fn server() -> TestServer {
    let limits = limits(|limits| limits.entry_bytes = Limits::MAX_ENTRY_BYTES);
    TestServer::start(|builder| builder.limits(limits)).await
}

const ALL: [Transport; 3] = [Transport::WebSocket, Transport::Polling, Transport::Upgrade];

#[tokio::test]
async fn live_events_after_a_large_one_arrive() {
    let server = server().await;
    let realtime = server.realtime();
    for transport in ALL {
        let builder = server.client_builder(Role::Customer, "c1");
        let (client, mut updates) = builder.transport(transport).connect().await.unwrap();
        let mut sent = Vec::new();
        for i in 1..=3 {
            sent.push(large(realtime, user("c1"), LARGE).await);
            tick(realtime, user("c1"), i).await;
            sent.push(Received::Tick(i));
        }
        assert_eq!(received(&mut updates, 6).await, sent, "{transport:?}");
        client.close().await;
    }
}

#[tokio::test]
async fn missed_events_after_a_large_one_arrive() {
    let server = server().await;
    let realtime = server.realtime();
    for transport in ALL {
        let since = tick(realtime, user("c1"), 0).await;
        // The largest that the server stores, and its frame.
        let first = large(realtime, user("c1"), Limits::MAX_ENTRY_BYTES - 1_000).await;
        let second = large(realtime, user("c1"), LARGE).await;
        tick(realtime, user("c1"), 1).await;
        let last = large(realtime, user("c1"), LARGE).await;
        let builder = server.client_builder(Role::Customer, "c1");
        let builder = builder.transport(transport).since(since);
        let (client, mut updates) = builder.connect().await.unwrap();
        let expected = [first, second, Received::Tick(1), last];
        assert_eq!(received(&mut updates, 4).await, expected, "{transport:?}");
        client.close().await;
    }
}

/// A client in another process continues after the event that this one did not take.
#[tokio::test]
async fn the_position_of_a_large_event_is_one_to_resume_from() {
    let server = server().await;
    let realtime = server.realtime();
    let (client, mut updates) = server.client(Role::Customer, "c1").await;
    let Received::TooLarge(at) = large(realtime, user("c1"), LARGE).await else {
        unreachable!("it is too large")
    };
    received(&mut updates, 1).await;
    assert_eq!(client.position().as_deref(), Some(&*at));
    client.close().await;
    tick(realtime, user("c1"), 1).await;
    let builder = server.client_builder(Role::Customer, "c1").since(at);
    let (_client, mut updates) = builder.connect().await.unwrap();
    assert_eq!(received(&mut updates, 1).await, [Received::Tick(1)]);
}

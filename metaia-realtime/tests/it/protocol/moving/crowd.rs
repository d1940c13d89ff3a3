//! Many clients that move while others publish.

use std::sync::Arc;

use metaia_realtime::{Realtime, Role, Room, testing::TestServer};
use serde_json::json;
use tokio::sync::Barrier;
use tokio_util::task::TaskTracker;

use super::{echo, is_empty, server};
use crate::support::poller::Poller;

const PUBLISHERS: usize = 4;
const EVENTS_EACH: usize = 400;
const CLIENTS: usize = 24;
const ECHOES: usize = 8;

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

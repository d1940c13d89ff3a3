//! Clients vanish while they upgrade: nothing remains of them, and those that come back miss
//! nothing.

use std::{cell::Cell, time::Duration};

use futures_util::future::join_all;
use metaia_realtime::{
    Census, Realtime, Room,
    client::Transport,
    testing::{TestServer, eventually},
};
use serde_json::json;

use super::{Step, customer, payload, publish};
use crate::support::{limits, raw_client::RawClient};

const CLIENTS: usize = 40;
const EVENTS: u64 = 300;
/// The number of events that the publisher is ahead of the clients.
const AHEAD: u64 = 100;

/// The last event that a client has received.
struct Place {
    position: String,
    number: u64,
}

impl Place {
    /// Receives the event that is next, and goes on to it.
    async fn receive(&mut self, client: &mut RawClient<'_>) {
        let packet = client.until("42[\"tick\"").await;
        let tick = payload(&packet, "tick").unwrap();
        self.number += 1;
        assert_eq!(tick["i"], self.number, "the next one");
        tick["_rt"]["at"]
            .as_str()
            .unwrap()
            .clone_into(&mut self.position);
    }
}

/// Receives all events over many connections: each comes to its step of the upgrade, receives some
/// events, and vanishes.
async fn receive_all(server: &TestServer, i: usize, since: &str, received: &Cell<u64>) {
    let name = format!("c{i}");
    let mut place = Place {
        position: since.to_owned(),
        number: 0,
    };
    for connection in i.. {
        let auth = json!({ "since": place.position });
        let who = customer(&name);
        let mut client = RawClient::begin(server, Transport::Polling, who, auth).await;
        let step = Step::ALL[connection % Step::ALL.len()];
        step.reach(&mut client).await;
        // One in ten receives nothing, and has perhaps just sent that it switches.
        for _ in 0..connection * 7 % 30 / 3 * 4 {
            place.receive(&mut client).await;
            received.set(received.get() + 1);
            if place.number == EVENTS {
                return;
            }
        }
    }
}

/// Publishes all along: by how many events the clients have together.
async fn publish_all(realtime: &Realtime, received: &Cell<u64>) {
    for i in 1..=EVENTS {
        let due = (i - 1).saturating_sub(AHEAD) * CLIENTS as u64;
        eventually("the clients to receive", || received.get() >= due).await;
        publish(realtime, Room::Everyone, (0, i)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn clients_that_vanish_at_any_step_and_come_back_miss_nothing() {
    // A client that vanished while it polled is found by its pings alone.
    let limits = limits(|limits| {
        limits.ping_interval = Duration::from_millis(500);
        limits.ping_timeout = Duration::from_secs(2);
    });
    let server = TestServer::start(|builder| builder.limits(limits)).await;
    let since = publish(server.realtime(), Room::Everyone, (0, 0)).await;
    let received = Cell::new(0);
    let clients = (0..CLIENTS).map(|i| receive_all(&server, i, &since, &received));
    tokio::join!(join_all(clients), publish_all(server.realtime(), &received));
    eventually("nothing to remain", || {
        server.realtime().census() == Census::default()
    })
    .await;
}

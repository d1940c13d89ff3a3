//! Clients upgrade in a stream of events of four publishers, and of their own events, whose
//! acknowledgements they await.

use std::cell::Cell;

use futures_util::future::join_all;
use metaia_realtime::{
    EventContext, HandlerError, Realtime, Room,
    client::Transport,
    testing::{TestServer, eventually},
};
use serde_json::json;

use super::{Tick, as_tick, customer, publish};
use crate::support::{limits, raw_client::RawClient};

const CLIENTS: usize = 50;
const PUBLISHERS: u64 = 4;
const EVENTS_EACH: u64 = 200;
const EVENTS: usize = (PUBLISHERS * EVENTS_EACH) as usize;
/// The most events that are published before every client has them.
const AHEAD: usize = 100;
/// The events that a client sends in each phase of its upgrade.
const ECHOES: u64 = 5;

async fn server() -> TestServer {
    TestServer::start(|builder| {
        let limits = limits(|limits| {
            limits.inbound_per_s = 10_000;
            limits.inbound_burst = 10_000;
        });
        builder
            .limits(limits)
            .on("echo", |_: EventContext, i: u64| async move {
                Ok::<_, HandlerError>(i)
            })
    })
    .await
}

/// A client that has connected, and all that it has received since.
struct Reader<'a> {
    client: RawClient<'a>,
    ticks: Vec<Tick>,
    asked: u64,
    answered: u64,
    /// The number of ticks, for the publishers.
    progress: &'a Cell<usize>,
}

impl Reader<'_> {
    /// Receives one packet: a tick, or the acknowledgement that is next.
    async fn receive(&mut self) {
        let packet = self.client.next().await.expect("a packet");
        let Some(tick) = as_tick(&packet) else {
            assert_eq!(packet, format!("43{0}[{0}]", self.answered));
            self.answered += 1;
            return;
        };
        self.ticks.push(tick);
        self.progress.set(self.ticks.len());
    }

    fn echoes(&mut self) -> Vec<String> {
        let first = self.asked;
        self.asked += ECHOES;
        let echoes = first..self.asked;
        echoes.map(|i| format!(r#"42{i}["echo",{i}]"#)).collect()
    }

    /// Receives all events, and upgrades after `switch_at` of them. Sends events by POST, by POST
    /// during the probe, in one write with the switch, and over the WebSocket.
    async fn run(mut self, switch_at: usize) -> Vec<Tick> {
        while self.ticks.len() < switch_at {
            self.receive().await;
        }
        for echo in self.echoes() {
            self.client.send(echo).await;
        }
        assert!(self.client.open_websocket().await);
        let posts = self.echoes();
        assert!(self.client.probe(&posts).await);
        let behind = self.echoes();
        self.client.switch(&behind).await;
        for echo in self.echoes() {
            self.client.send(echo).await;
        }
        while self.ticks.len() < EVENTS || self.answered < self.asked {
            self.receive().await;
        }
        self.ticks
    }
}

async fn publish_all(realtime: &Realtime, publisher: u64, progress: &[Cell<usize>]) {
    for i in 0..EVENTS_EACH {
        publish(realtime, Room::Everyone, (publisher, i)).await;
        let least = || progress.iter().map(Cell::get).min().unwrap_or_default();
        let published = (i * PUBLISHERS) as usize;
        eventually("the clients to keep up", || published < least() + AHEAD).await;
    }
}

/// Checks that each publisher's ticks are there once and in order.
fn check_complete(ticks: &[Tick]) {
    for publisher in 0..PUBLISHERS {
        let of_publisher = ticks.iter().filter(|tick| tick.0 == publisher);
        assert!(of_publisher.map(|tick| tick.1).eq(0..EVENTS_EACH));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_client_receives_every_event_and_every_acknowledgement_once_and_in_order() {
    let server = server().await;
    let progress: Vec<Cell<usize>> = vec![Cell::new(0); CLIENTS];
    let connecting = progress.iter().enumerate().map(async |(i, progress)| {
        let user = format!("c{i}");
        let who = customer(&user);
        Reader {
            client: RawClient::connect_until_ready(&server, Transport::Polling, who, json!({}))
                .await,
            ticks: Vec::new(),
            asked: 0,
            answered: 0,
            progress,
        }
    });
    let readers = join_all(connecting).await;
    let reading = readers
        .into_iter()
        .enumerate()
        .map(|(i, reader)| reader.run(i * EVENTS / CLIENTS));
    let publishing =
        (0..PUBLISHERS).map(|publisher| publish_all(server.realtime(), publisher, &progress));
    let (received, _) = tokio::join!(join_all(reading), join_all(publishing));
    check_complete(&received[0]);
    assert!(
        received.iter().all(|ticks| *ticks == received[0]),
        "all have the same order"
    );
}

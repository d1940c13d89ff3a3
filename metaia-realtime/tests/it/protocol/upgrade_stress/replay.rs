//! Clients upgrade while they are sent what they missed, and four publishers go on.

use std::cell::Cell;

use futures_util::future::join_all;
use metaia_realtime::{
    Realtime,
    client::Transport,
    testing::{TestServer, eventually},
};
use serde_json::{Value, json};

use super::{Tick, as_tick, customer, payload, publish};
use crate::support::{limits, order, policy::Policy, raw_client::RawClient};

const CLIENTS: usize = 24;
const MISSED: u64 = 600;
const PUBLISHERS: u64 = 4;
const LIVE_EACH: u64 = 50;
const ALL: usize = (MISSED + PUBLISHERS * LIVE_EACH) as usize;

/// Starts a server with events after the returned position, most of them not in its window.
async fn server_with_history() -> (TestServer, String) {
    let limits = limits(|limits| limits.window_entries = 64);
    let server =
        TestServer::start(|builder| builder.limits(limits).order_access(Policy::new())).await;
    let since = publish(server.realtime(), order("o1"), (9, 0)).await;
    for i in 1..=MISSED {
        publish(server.realtime(), order("o1"), (9, i)).await;
    }
    (server, since)
}

/// Publishes all along the replay: by how many events the clients have together.
async fn publish_live(realtime: &Realtime, publisher: u64, received: &Cell<usize>) {
    for i in 0..LIVE_EACH {
        let due = i * MISSED * CLIENTS as u64 / LIVE_EACH;
        eventually("the clients to receive", || received.get() as u64 >= due).await;
        publish(realtime, order("o1"), (publisher, i)).await;
    }
}

/// A client, and what it has received in the order in which it came.
struct Reader<'a> {
    client: RawClient<'a>,
    ticks: Vec<Tick>,
    /// `rt:ready` or an acknowledgement, and the number of ticks before it.
    others: Vec<(usize, Value)>,
    /// The number of ticks of all clients, for the publishers.
    received: &'a Cell<usize>,
}

impl Reader<'_> {
    async fn receive(&mut self) {
        let packet = self.client.next().await.expect("a packet");
        if let Some(tick) = as_tick(&packet) {
            self.ticks.push(tick);
            self.received.set(self.received.get() + 1);
        } else if let Some(ready) = payload(&packet, "rt:ready") {
            self.others.push((self.ticks.len(), ready));
        } else if let Some(answer) = packet.strip_prefix("431") {
            let answer: Value = serde_json::from_str(answer).unwrap();
            self.others.push((self.ticks.len(), answer[0].clone()));
        } else {
            assert!(packet.starts_with("40{"), "{packet}");
        }
    }

    /// Receives all events, and upgrades after `switch_at` of them.
    async fn upgrade_after(&mut self, switch_at: usize) {
        while self.ticks.len() < switch_at {
            self.receive().await;
        }
        self.client.upgrade().await;
    }

    /// Receives the rest. Checks that the end of the replay was told once, with the number of
    /// events that came before.
    async fn finish(mut self) -> Vec<Tick> {
        while self.ticks.len() < ALL || self.others.is_empty() {
            self.receive().await;
        }
        let [(before, told)] = &self.others[..] else {
            panic!("{:?}", self.others);
        };
        assert!(*before >= MISSED as usize, "{before}");
        assert_eq!(told["recovered"], true);
        assert_eq!(told["replayed"], *before);
        self.ticks
    }
}

/// Checks what all clients have received.
fn check(all: &[Vec<Tick>]) {
    let (missed, live) = all[0].split_at(MISSED as usize);
    assert!(missed.iter().copied().eq((1..=MISSED).map(|i| (9, i))));
    for publisher in 0..PUBLISHERS {
        let of_publisher = live.iter().filter(|tick| tick.0 == publisher);
        assert!(of_publisher.map(|tick| tick.1).eq(0..LIVE_EACH));
    }
    assert!(all.iter().all(|ticks| *ticks == all[0]), "one order");
}

/// Runs a client for each number, while the publishers publish.
async fn run(client: impl AsyncFn(&TestServer, &Cell<usize>, usize, &str) -> Vec<Tick>) {
    let (server, since) = server_with_history().await;
    let received = Cell::new(0);
    let clients = (0..CLIENTS).map(|i| client(&server, &received, i, &since));
    let publishing =
        (0..PUBLISHERS).map(|publisher| publish_live(server.realtime(), publisher, &received));
    let (all, _) = tokio::join!(join_all(clients), join_all(publishing));
    check(&all);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_that_resumes_receives_everything_once() {
    run(async |server, received, i, since| {
        // The first one upgrades before its CONNECT, as Python's client does.
        let first = match i {
            0 => Transport::Upgrade,
            _ => Transport::Polling,
        };
        let mut client = RawClient::open(server, first).await;
        let user = format!("c{i}");
        client
            .send_connect(customer(&user), json!({ "since": since, "orders": ["o1"] }))
            .await;
        let mut reader = Reader {
            client,
            ticks: Vec::new(),
            others: Vec::new(),
            received,
        };
        if i > 0 {
            reader.upgrade_after((i - 1) * ALL / CLIENTS).await;
        }
        reader.finish().await
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_join_with_a_position_replays_everything_once_before_its_ack() {
    run(async |server, received, i, since| {
        let user = format!("c{i}");
        let who = customer(&user);
        let mut client =
            RawClient::connect_until_ready(server, Transport::Polling, who, json!({})).await;
        let join = json!(["join_order_room", { "orderId": "o1", "since": since }]);
        client.send(format!("421{join}")).await;
        let mut reader = Reader {
            client,
            ticks: Vec::new(),
            others: Vec::new(),
            received,
        };
        reader.upgrade_after(i * ALL / CLIENTS).await;
        reader.finish().await
    })
    .await;
}

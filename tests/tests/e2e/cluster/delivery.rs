//! Events that are posted at one node reach the clients of the other node.

use std::time::{Duration, Instant};

use metaia_tests::clients::phone::Phone;
use metaia_tests::faults::cluster::{Database, Nodes, Redis, node};
use metaia_tests::fixtures::{
    all_until_now, emit, id_of, names, place_order, raise_fence, set_status,
};
use metaia_tests::server::Server;
use serde_json::json;

use super::{DELIVERY_TIMEOUT, Pair};

/// Returns the latency of each event from its response at one node to a phone at the other.
pub(super) async fn latencies(
    from: &Server,
    phone: &mut Phone,
    user: &str,
    count: u64,
) -> Vec<Duration> {
    let mut all = Vec::new();
    for n in 0..count {
        let posted = Instant::now();
        emit(from, &json!({"user": user}), "load", &json!({"n": n})).await;
        assert_eq!(phone.event("load").await["n"], n);
        all.push(posted.elapsed());
    }
    all
}

#[track_caller]
pub(super) fn assert_in_time(what: &str, latencies: &[Duration]) {
    let longest = latencies.iter().max().expect("some events");
    assert!(*longest <= DELIVERY_TIMEOUT, "{what}: {latencies:?}");
}

/// Checks that the doorbell notified the other node. Each event was posted after the previous one
/// had arrived. With polling alone, all but the first would have waited for the next poll, half a
/// second after the last.
#[track_caller]
fn assert_notified(latencies: &[Duration]) {
    let mut sorted = latencies.to_vec();
    sorted.sort();
    assert!(
        sorted[sorted.len() / 2] < Duration::from_millis(400),
        "no notification arrived: {latencies:?}"
    );
}

#[tokio::test]
async fn an_event_posted_at_one_node_notifies_the_other() {
    let pair = Pair::start().await;
    let mut phone = Phone::ready_as(&pair.nodes[1], "customer", "c1").await;
    let latencies = latencies(&pair.nodes[0], &mut phone, "c1", 20).await;
    assert_in_time("with Redis", &latencies);
    assert_notified(&latencies);
}

#[tokio::test]
async fn without_redis_an_event_arrives_in_time() {
    let database = Database::new().await;
    let nodes = Nodes::start(2, &database.uri(), None).await;
    nodes.ready().await;
    let mut phone = Phone::ready_as(&nodes[1], "customer", "c1").await;
    assert_in_time(
        "by polling",
        &latencies(&nodes[0], &mut phone, "c1", 5).await,
    );
}

#[tokio::test]
async fn with_an_unreachable_redis_an_event_arrives_in_time() {
    let database = Database::new().await;
    let redis = Redis::planned(
        metaia_tests::server::host::Host::local(),
        Some("a-password-of-redis"),
    );
    let nodes = Nodes::start(2, &database.uri(), Some(&redis)).await;
    nodes.ready().await;
    let mut phone = Phone::ready_as(&nodes[1], "customer", "c1").await;
    assert_in_time(
        "without a Redis",
        &latencies(&nodes[0], &mut phone, "c1", 3).await,
    );
    let log = nodes[0].output_lines().join("\n");
    assert!(!log.contains("a-password-of-redis"), "{log}");
}

#[tokio::test]
async fn an_order_placed_at_one_node_is_changed_and_announced_at_the_other() {
    let Pair { nodes, .. } = &Pair::start().await;
    let order = place_order(&nodes[0], "c1").await;
    let id = id_of(&order);
    assert_eq!(
        nodes[1]
            .api("customer", "c1")
            .get(&format!("/api/orders/{id}"))
            .await
            .data(200)["order"],
        order
    );
    let mut phones = Vec::new();
    for node in 0..2 {
        let mut phone = Phone::ready_as(&nodes[node], "customer", "c1").await;
        assert_eq!(
            phone.call("join_order_room", &json!(id)).await["status"],
            "ok"
        );
        phones.push(phone);
    }
    set_status(&nodes[1], id, "confirmed").await;
    set_status(&nodes[0], id, "in_progress").await;
    for phone in &mut phones {
        let statuses = [
            phone.event("order_update").await,
            phone.event("order_update").await,
        ];
        assert_eq!(
            statuses.map(|order| order["status"].clone()),
            ["confirmed", "in_progress"]
        );
    }
}

#[tokio::test]
async fn the_same_key_at_both_nodes_acts_once() {
    let Pair { nodes, .. } = &Pair::start().await;
    let body = metaia_tests::fixtures::order_body();
    let place = async |node: usize| {
        let api = nodes[node]
            .api("customer", "c1")
            .header("idempotency-key", "one-and-the-same");
        api.post("/api/orders", &body).await
    };
    let (one, other) = tokio::join!(place(0), place(1));
    let made: Vec<_> = [one, other]
        .into_iter()
        .filter(|answer| answer.status == 201)
        .collect();
    assert!(!made.is_empty(), "one of them places it");
    let again = place(0).await.data(201)["order"].take();
    assert!(
        made.iter().all(|answer| answer.data(201)["order"] == again),
        "{made:#?}"
    );
    let orders = nodes[0].admin().get("/api/orders").await.data(200);
    assert_eq!(orders["orders"].as_array().unwrap().len(), 1, "{orders}");
}

#[tokio::test]
async fn all_clients_see_one_order_of_simultaneous_writes_at_two_nodes() {
    let Pair { nodes, .. } = &Pair::start().await;
    let mut phones = Vec::new();
    for node in 0..2 {
        phones.push(Phone::ready_as(&nodes[node], "customer", "c1").await);
    }
    let flood = async |node: usize| {
        for n in 0..50 {
            let data = json!({"from": node, "n": n});
            emit(&nodes[node], &json!({"user": "c1"}), "load", &data).await;
        }
    };
    tokio::join!(flood(0), flood(1));
    raise_fence(&nodes[0]).await;
    let mut received = Vec::new();
    for phone in &mut phones {
        received.push(metaia_tests::fixtures::up_to_fence(phone).await);
    }
    assert_eq!(received[0].len(), 100);
    assert_eq!(
        received[0], received[1],
        "the same events at the same positions"
    );
}

#[tokio::test]
async fn a_volatile_event_reaches_the_other_node_too() {
    let Pair { nodes, .. } = &Pair::start().await;
    let mut phone = Phone::ready_as(&nodes[1], "customer", "c1").await;
    let body = json!({"to": {"user": "c1"}, "event": "place", "data": {"x": 1}, "volatile": true});
    nodes[0]
        .admin()
        .post("/api/realtime/emit", &body)
        .await
        .ok(202);
    assert_eq!(phone.event("place").await, json!({"x": 1}));
    let body = json!({"to": {"user": "c2"}, "event": "place", "data": {"x": 2}, "volatile": true});
    nodes[0]
        .admin()
        .post("/api/realtime/emit", &body)
        .await
        .ok(202);
    let events = all_until_now(&nodes[0], &mut phone).await;
    assert_eq!(
        names(&events),
        [""; 0],
        "an event for another user does not arrive"
    );
}

#[tokio::test]
async fn messages_signed_with_another_key_are_dropped_and_log_entries_are_delivered() {
    let (database, redis) = tokio::join!(Database::new(), Redis::start());
    let strange = node(&database.uri(), Some(&redis))
        .env("METAIA_CLUSTER_KEY", "another-key-0123456789abcdef012345");
    let nodes = Nodes::start_all(vec![node(&database.uri(), Some(&redis)), strange]).await;
    nodes.ready().await;
    redis.await_subscribers(2).await;
    let mut phone = Phone::ready_as(&nodes[0], "customer", "c1").await;
    let body = json!({"to": {"user": "c1"}, "event": "place", "data": {"x": 1}, "volatile": true});
    nodes[1]
        .admin()
        .post("/api/realtime/emit", &body)
        .await
        .ok(202);
    let events = all_until_now(&nodes[1], &mut phone).await;
    assert_eq!(
        names(&events),
        [""; 0],
        "a volatile event that is not signed by this key"
    );
    assert_in_time(
        "by polling",
        &latencies(&nodes[1], &mut phone, "c1", 2).await,
    );
}

#[tokio::test]
async fn forged_messages_on_the_channel_have_no_effect() {
    let (database, redis) = tokio::join!(Database::new(), Redis::start());
    let nodes = Nodes::start(2, &database.uri(), Some(&redis)).await;
    nodes.ready().await;
    redis.await_subscribers(2).await;
    let channels = redis.command("PUBSUB CHANNELS").await.unwrap();
    let channel = channels
        .lines()
        .find(|line| line.contains("metaia"))
        .unwrap_or_else(|| panic!("{channels}"));
    for forged in [
        "x",
        "\u{1}\u{2}\u{3}\u{4}",
        &"y".repeat(60_000),
        "{n:18446744073709551615}",
    ] {
        for _ in 0..20 {
            let answer = redis
                .command(&format!("PUBLISH {channel} {forged}"))
                .await
                .unwrap_or_default();
            assert!(
                answer.starts_with(":2"),
                "both nodes receive it: {answer:?}"
            );
        }
    }
    let mut phone = Phone::ready_as(&nodes[1], "customer", "c1").await;
    let latencies = latencies(&nodes[0], &mut phone, "c1", 20).await;
    assert_notified(&latencies);
}

//! A client that reconnects to another node continues there from its position.

use metaia_tests::clients::driver::Driver;
use metaia_tests::clients::phone::{Event, Phone};
use metaia_tests::clients::way::{Reached, Way};
use metaia_tests::faults::cluster::{Balancer, Nodes};
use metaia_tests::fixtures::token::token;
use metaia_tests::fixtures::{emit, id_of, place_order, raise_fence, set_status};
use metaia_tests::server::Server;
use serde_json::{Value, json};

use super::Pair;

pub(crate) async fn send(server: &Server, numbers: std::ops::RangeInclusive<u64>) {
    for n in numbers {
        emit(server, &json!({"user": "c1"}), "load", &json!({"n": n})).await;
    }
}

pub(crate) fn numbers(events: &[Event]) -> Vec<u64> {
    let loads = events.iter().filter(|event| event.name == "load");
    loads
        .map(|event| event.data["n"].as_u64().unwrap())
        .collect()
}

/// Removes the events whose id came before.
pub(crate) fn without_duplicates(events: Vec<Event>) -> Vec<Event> {
    let mut ids = std::collections::BTreeSet::new();
    events
        .into_iter()
        .filter(|event| ids.insert(event.data["_rt"]["id"].to_string()))
        .collect()
}

#[tokio::test]
async fn a_position_of_one_node_is_valid_at_the_other() {
    let Pair { nodes, .. } = &Pair::start().await;
    for n in 0..Way::ALL.len() {
        check_move(nodes, Way::nth(n), Way::nth(n + 1)).await;
    }
}

async fn check_move(nodes: &Nodes, before: Way, after: Way) {
    let order = place_order(&nodes[0], "c1").await;
    let id = id_of(&order);
    let mut auth = json!({"token": token("customer", "c1"), "orders": [id]});
    let mut phone = Phone::ready_with(&Reached::by(before, &nodes[0]), &auth).await;
    send(&nodes[1], 1..=3).await;
    let events = [phone.until("load").await, phone.until("load").await].concat();
    assert_eq!(numbers(&events), [1, 2]);
    auth["since"] = json!(events.last().unwrap().at());
    phone.drop_connection();
    set_status(&nodes[0], id, "confirmed").await;
    send(&nodes[0], 4..=5).await;

    let mut phone = Phone::connected(&Reached::by(after, &nodes[1]), &auth).await;
    let events = phone.until("rt:ready").await;
    assert_eq!(
        events.last().unwrap().data["recovered"],
        true,
        "{events:#?}"
    );
    assert_eq!(
        numbers(&events),
        [3, 4, 5],
        "every missed event, and none twice"
    );
    let updates = events
        .iter()
        .filter(|event| event.name == "order_update")
        .count();
    assert_eq!(
        updates, 1,
        "one copy, although the client is in two rooms of the entry: {events:#?}"
    );
    send(&nodes[0], 6..=6).await;
    assert_eq!(
        phone.event("load").await["n"],
        6,
        "the client is live at this node"
    );
}

/// Moves an official client between the nodes and checks that it receives what it missed each time.
pub(super) async fn moves_between_nodes(opts: Value) {
    let Pair { nodes, .. } = &Pair::start().await;
    let doors = nodes.ports();
    let balancer = Balancer::start(vec![doors[0]]).await;
    let mut driver = Driver::node();
    let mut opts = opts;
    opts["transports"] = json!(["websocket"]);
    driver.connect_with("phone", &balancer, &opts).await;
    driver.event("phone", "rt:ready").await;
    for time in 1..=4_usize {
        let first = time as u64 * 10;
        send(&nodes[time % 2], first..=first + 4).await;
        driver.nth("phone", "load", time).await;
        balancer.route_to(vec![]);
        balancer.cut();
        send(&nodes[(time + 1) % 2], first + 5..=first + 9).await;
        balancer.route_to(vec![doors[time % 2]]);
        let ready = driver.nth("phone", "rt:ready", 1 + time).await;
        assert_eq!(ready["recovered"], true, "time {time}: {ready}");
    }
    raise_fence(&nodes[0]).await;
    driver.event("phone", "test:fence").await;
    assert_eq!(driver.count("phone", "rt:reset"), 0);
    let all = without_duplicates(driver.events("phone"));
    assert_eq!(
        numbers(&all),
        (10..50).collect::<Vec<_>>(),
        "every event, in order, across the nodes"
    );
}

#[tokio::test]
async fn the_javascript_client_resumes_at_the_other_node() {
    moves_between_nodes(json!({"resume": {"token": token("customer", "c1")}})).await;
}

#[tokio::test]
async fn an_unknown_position_is_reset_at_every_node() {
    let Pair { nodes, .. } = &Pair::start().await;
    send(&nodes[0], 1..=1).await;
    for node in 0..2 {
        let since = "00000000000000000000000000000000-00000000.1";
        let auth = json!({"token": token("customer", "c1"), "since": since});
        let mut phone = Phone::connected(&nodes[node], &auth).await;
        let events = phone.until("rt:ready").await;
        assert!(
            events.iter().any(|event| event.name == "rt:reset"),
            "node {node}: {events:#?}"
        );
    }
}

//! A client that knows no positions reconnects to another node, which recognises its device.

use metaia_tests::clients::phone::Phone;
use metaia_tests::clients::way::{Reached, Way};
use metaia_tests::fixtures::token::token;
use serde_json::json;

use super::Pair;
use super::moving::{moves_between_nodes, numbers, send, without_duplicates};

#[tokio::test]
async fn a_device_resumes_at_the_other_node() {
    moves_between_nodes(json!({"auth": {"token": token("customer", "c1"), "device": "d1"}})).await;
}

#[tokio::test]
async fn a_device_resumes_at_the_other_node_after_a_kill() {
    let mut pair = Pair::start().await;
    let mut phones = Vec::new();
    for way in Way::ALL {
        let device = format!("{way:?}");
        let auth = json!({"token": token("customer", "c1"), "device": device});
        let reached = Reached::by(way, &pair.nodes[0]);
        phones.push((way, Phone::ready_with(&reached, &auth).await, auth));
    }
    send(&pair.nodes[0], 1..=3).await;
    let mut received = Vec::new();
    for (_, phone, _) in &mut phones {
        let mut events = Vec::new();
        for _ in 1..=3 {
            events.extend(phone.until("load").await);
        }
        received.push(events);
    }
    pair.nodes.kill(0).await;
    send(&pair.nodes[1], 4..=6).await;
    for ((way, _, auth), mut events) in std::iter::zip(phones, received) {
        let reached = Reached::by(way, &pair.nodes[1]);
        let mut phone = Phone::connected(&reached, &auth).await;
        events.extend(phone.until("rt:ready").await);
        assert_eq!(events.last().unwrap().data["recovered"], true, "{way:?}");
        let all = numbers(&without_duplicates(events));
        assert_eq!(all, [1, 2, 3, 4, 5, 6], "{way:?}");
    }
}

/// Two tabs of one device are connected to two nodes. Both lose their lines, and each returns to
/// the node of the other.
#[tokio::test]
async fn two_tabs_on_two_nodes_both_receive_everything() {
    let pair = Pair::start().await;
    let auth = json!({"token": token("customer", "c1"), "device": "browser"});
    let mut one = Phone::ready_with(&pair.nodes[0], &auth).await;
    let mut other = Phone::ready_with(&pair.nodes[1], &auth).await;
    send(&pair.nodes[0], 1..=3).await;
    let mut ones = Vec::new();
    let mut others = Vec::new();
    for _ in 1..=3 {
        ones.extend(one.until("load").await);
        others.extend(other.until("load").await);
    }
    one.drop_connection();
    other.drop_connection();
    for node in 0..2 {
        pair.nodes[node]
            .wait_for_output("User disconnected: c1")
            .await;
    }
    send(&pair.nodes[0], 4..=6).await;
    let mut one = Phone::connected(&pair.nodes[1], &auth).await;
    ones.extend(one.until("rt:ready").await);
    send(&pair.nodes[1], 7..=9).await;
    for _ in 7..=9 {
        ones.extend(one.until("load").await);
    }
    let mut other = Phone::connected(&pair.nodes[0], &auth).await;
    others.extend(other.until("rt:ready").await);
    for received in [ones, others] {
        let mut received = numbers(&without_duplicates(received));
        received.sort_unstable();
        assert_eq!(received, (1..=9).collect::<Vec<_>>());
    }
}

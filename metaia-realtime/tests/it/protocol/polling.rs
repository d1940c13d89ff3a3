//! Polls: how much one answer has, and what becomes of it.

use std::time::{Duration, Instant};

use metaia_realtime::{
    Role,
    testing::{TestServer, within},
};
use serde_json::json;

use crate::support::{limits, poller::Poller, tick, user};

/// The most packets that python-engineio takes in one answer.
const MAX_PACKETS: usize = 16;

const EVENTS: u64 = 10_000;

#[tokio::test]
async fn an_answer_has_no_more_packets_than_python_takes() {
    let server = TestServer::start(|builder| builder).await;
    let first = server
        .realtime()
        .broadcast(("first", json!({})))
        .await
        .unwrap();
    for i in 0..EVENTS {
        tick(server.realtime(), user("c1"), i).await;
    }
    let poller = Poller::open(&server).await;
    let auth = json!({ "token": server.token(Role::Customer, "c1"), "since": first.position });
    let started = Instant::now();
    poller.post(&server, &format!("40{auth}")).await;
    let mut received = 0;
    within("the replay", async {
        loop {
            let body = poller.get(&server).await.body;
            let packets: Vec<&str> = body.split('\u{1e}').collect();
            assert!(packets.len() <= MAX_PACKETS, "{} packets", packets.len());
            received += packets
                .iter()
                .filter(|packet| packet.starts_with("42[\"tick\""))
                .count();
            if packets.contains(&"2") {
                poller.post(&server, "3").await;
            }
            if body.contains("rt:ready") {
                return;
            }
        }
    })
    .await;
    println!("{received} entries by polling: {:?}", started.elapsed());
    assert_eq!(received as u64, EVENTS);
}

#[tokio::test]
async fn acks_are_spread_over_polls_too_and_an_upgrade_takes_the_rest() {
    let many = limits(|limits| limits.inbound_burst = 200);
    let server = TestServer::start(|builder| builder.limits(many)).await;
    let poller = Poller::connect_until_ready(&server, Role::Customer, "c1").await;
    let body: Vec<String> = (0..60)
        .map(|id| format!(r#"42{id}["leave_order_room","o{id}"]"#))
        .collect();
    poller.post(&server, &body.join("\u{1e}")).await;
    let first = poller.get(&server).await.body;
    assert!(first.split('\u{1e}').count() <= MAX_PACKETS);
    let mut socket = poller.upgrade(&server).await;
    socket.until("4359").await;
}

#[tokio::test]
async fn a_kicked_client_with_a_slow_line_is_told_to_stay_away() {
    let server = TestServer::start(|builder| builder).await;
    let poller = Poller::connect_until_ready(&server, Role::Customer, "c1").await;
    let mut waiting = Box::pin(poller.get(&server));
    let soon = Duration::from_millis(300);
    while let Ok(ping) = tokio::time::timeout(soon, &mut waiting).await {
        assert_eq!(ping.body, "2");
        poller.post(&server, "3").await;
        waiting = Box::pin(poller.get(&server));
    }
    let kicked = "c1".parse().unwrap();
    server.realtime().disconnect_user(&kicked).await.unwrap();
    // The poll that waited has the first of the last two packets.
    let mut received = waiting.await.body;
    let mut round_trips = tokio::time::interval(Duration::from_millis(600));
    round_trips.tick().await;
    within("DISCONNECT", async {
        while !received.contains("41") {
            round_trips.tick().await;
            received.push_str(&poller.get(&server).await.body);
        }
    })
    .await;
    assert!(!received.contains("Session ID unknown"), "{received}");
}

//! Frames of the doorbell that are forged, unreadable, unsigned or repeated.

use std::time::Instant;

use metaia_realtime::{
    Role,
    client::{Client, Updates},
    doorbell::ClusterKey,
    testing::{SharedLog, Wire, eventually},
};
use serde_json::json;

use super::nodes::{Node, node, two_nodes};
use crate::support::{event, tick, ticks, user};

/// The length of a notification ("the log has grown") in bytes.
const NOTIFICATION_BYTES: usize = 53;

/// The offset of the entry's number in a notification.
const NUMBER_OFFSET: usize = 45;

/// Returns the last notification that went over the wire, changed to another sender and entry.
fn forged(wire: &Wire, n: u64) -> Vec<u8> {
    let mut frame = wire
        .carried()
        .into_iter()
        .rfind(|frame| frame.len() == NOTIFICATION_BYTES && frame[4] == 0)
        .unwrap();
    frame[10] ^= 0xff;
    frame[NUMBER_OFFSET..].copy_from_slice(&n.to_be_bytes());
    frame
}

#[tokio::test]
async fn repeated_notifications_are_free_and_forged_ones_cost_few_log_reads() {
    let (a, b, wire) = two_nodes(None, |builder| builder).await;
    let (_phone, mut updates) = b.server.client(Role::Customer, "c1").await;
    tick(a.server.realtime(), user("c1"), 1).await;
    assert_eq!(ticks(&mut updates, 1).await, [1]);

    let before = b.log.looks();
    for _ in 0..10_000 {
        wire.say(&forged(&wire, 1));
    }
    assert_eq!(b.log.looks(), before);

    let began = Instant::now();
    for i in 0..10_000 {
        wire.say(&forged(&wire, 1_000 + i * i));
    }
    // One read per 100 ms, and one that waits.
    let allowed = began.elapsed().as_millis() / 100 + 2;
    let looks = b.log.looks() - before;
    assert!(
        (1..=allowed).contains(&u128::from(looks)),
        "{looks} reads of the log, {allowed} are allowed"
    );

    tick(a.server.realtime(), user("c1"), 2).await;
    assert_eq!(ticks(&mut updates, 1).await, [2]);
}

#[tokio::test]
async fn garbage_is_counted_and_dropped() {
    let (a, b, wire) = two_nodes(None, |builder| builder).await;
    tick(a.server.realtime(), user("c1"), 1).await;
    let looks = b.log.looks();
    let unreadable = b.server.realtime().doorbell_counts().unreadable;
    for garbage in [&b""[..], b"MB", &[0xff; 100_000], b"{\"n\":7}", &[b'M'; 53]] {
        wire.say(garbage);
    }
    assert_eq!(b.log.looks(), looks);
    let counts = b.server.realtime().doorbell_counts();
    assert_eq!(counts.unreadable, unreadable + 5);
}

/// Starts two nodes with one key, and connects a phone to the second.
async fn signed() -> (Node, Node, Wire, Client, Updates) {
    let key = ClusterKey::new("sixteen bytes or more").unwrap();
    let (a, b, wire) = two_nodes(None, |builder| builder.cluster_key(key.clone())).await;
    let (phone, updates) = b.server.client(Role::Customer, "c1").await;
    (a, b, wire, phone, updates)
}

#[tokio::test]
async fn signed_frames_arrive_and_others_do_not() {
    let (a, b, wire, _phone, mut updates) = signed().await;
    a.server
        .realtime()
        .volatile()
        .broadcast(("at", json!("signed")))
        .unwrap();
    assert_eq!(event(&mut updates, "at").await.data, "signed");

    let unsigned = node(&SharedLog::default(), &wire, None, |builder| builder).await;
    eventually("the node without a key to be subscribed", || {
        wire.listening() == 3
    })
    .await;
    let other_key = ClusterKey::new("a different cluster key").unwrap();
    let other_signed = node(&SharedLog::default(), &wire, None, |builder| {
        builder.cluster_key(other_key)
    })
    .await;
    eventually("the node with another key to be subscribed", || {
        wire.listening() == 4
    })
    .await;
    let looks = b.log.looks();
    for forger in [&unsigned, &other_signed] {
        tick(forger.server.realtime(), user("c1"), 1).await;
        forger
            .server
            .realtime()
            .volatile()
            .broadcast(("at", json!("forged")))
            .unwrap();
    }
    eventually("all forged frames to be counted", || {
        b.server.realtime().doorbell_counts().unsigned >= 4
    })
    .await;
    assert_eq!(b.log.looks(), looks);
    a.server
        .realtime()
        .volatile()
        .broadcast(("at", json!("signed again")))
        .unwrap();
    assert_eq!(event(&mut updates, "at").await.data, "signed again");
}

#[tokio::test]
async fn a_recorded_volatile_event_is_not_delivered_again() {
    let (a, b, wire, _phone, mut updates) = signed().await;
    a.server
        .realtime()
        .volatile()
        .broadcast(("at", json!(1)))
        .unwrap();
    assert_eq!(event(&mut updates, "at").await.data, 1);
    let recorded = wire.carried();
    for frame in &recorded {
        wire.say(frame);
    }
    assert!(b.server.realtime().doorbell_counts().repeated >= 1);
    a.server
        .realtime()
        .volatile()
        .broadcast(("at", json!(2)))
        .unwrap();
    assert_eq!(event(&mut updates, "at").await.data, 2);
}

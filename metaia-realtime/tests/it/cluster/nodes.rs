//! Two nodes over one log, with a doorbell between them.

use std::time::{Duration, Instant};

use metaia_realtime::{
    RealtimeBuilder, Role,
    client::{Client, Updates},
    doorbell::ClusterKey,
    testing::{NodeLog, SharedLog, TestServer, Wire, eventually},
};
use serde_json::json;

use crate::{disconnected, event, order, support::policy::Policy, tick, ticks, user};

/// Where the `n` of a ring is, which is 53 bytes long.
const N: usize = 45;
const RING: usize = 53;

pub(crate) struct Node {
    pub(crate) server: TestServer,
    pub(crate) log: NodeLog,
}

async fn node(
    shared: &SharedLog,
    wire: &Wire,
    poll: Option<Duration>,
    configure: impl FnOnce(RealtimeBuilder) -> RealtimeBuilder,
) -> Node {
    let log = shared.node(poll);
    let builder =
        |builder: RealtimeBuilder| configure(builder.log(log.clone()).doorbell(wire.doorbell()));
    Node {
        server: TestServer::start(builder).await,
        log,
    }
}

/// Two nodes that find the other's entries by the doorbell, or by looking every `poll`.
async fn two(
    poll: Option<Duration>,
    configure: impl Fn(RealtimeBuilder) -> RealtimeBuilder,
) -> (Node, Node, Wire) {
    let (shared, wire) = (SharedLog::default(), Wire::new());
    let a = node(&shared, &wire, poll, &configure).await;
    let b = node(&shared, &wire, poll, &configure).await;
    eventually("both to listen", || wire.listening() == 2).await;
    (a, b, wire)
}

#[tokio::test]
async fn what_is_appended_here_arrives_there() {
    let (a, b, _) = two(None, |builder| builder).await;
    let (_phone, mut updates) = b.server.client(Role::Customer, "c1").await;
    for i in 0..100 {
        tick(a.server.realtime(), user("c1"), i).await;
    }
    assert_eq!(ticks(&mut updates, 100).await, (0..100).collect::<Vec<_>>());
}

#[tokio::test]
async fn without_the_doorbell_it_arrives_by_polling() {
    let (a, b, wire) = two(Some(Duration::from_millis(50)), |builder| builder).await;
    let (_phone, mut updates) = b.server.client(Role::Customer, "c1").await;
    wire.cut();
    tick(a.server.realtime(), user("c1"), 1).await;
    assert_eq!(ticks(&mut updates, 1).await, [1]);
    assert!(!b.server.realtime().doorbell_connected());
}

#[tokio::test]
async fn what_was_rung_for_in_vain_is_found_when_the_line_is_back() {
    let (a, b, wire) = two(None, |builder| builder).await;
    let (_phone, mut updates) = b.server.client(Role::Customer, "c1").await;
    wire.cut();
    tick(a.server.realtime(), user("c1"), 1).await;
    wire.mend();
    assert_eq!(ticks(&mut updates, 1).await, [1]);
}

#[tokio::test]
async fn a_volatile_event_reaches_the_other_node() {
    let (a, b, wire) = two(None, |builder| builder.order_access(Policy::new())).await;
    let (phone, mut updates) = b.server.client(Role::Customer, "c1").await;
    phone.join_order("o1").await.unwrap();
    a.server
        .realtime()
        .volatile()
        .send([user("c1"), order("o1")], ("at", json!([1, "x"])))
        .unwrap();
    assert_eq!(event(&mut updates, "at").await.data, json!([1, "x"]));
    // Once, though the phone is in both rooms; and none where there is no line.
    wire.cut();
    a.server
        .realtime()
        .volatile()
        .broadcast(("at", json!(2)))
        .unwrap();
    wire.mend();
    a.server
        .realtime()
        .volatile()
        .broadcast(("at", json!(3)))
        .unwrap();
    assert_eq!(event(&mut updates, "at").await.data, json!(3));
}

#[tokio::test]
async fn who_has_lost_the_room_gets_no_volatile_event_of_it() {
    let policy = Policy::new();
    let (a, b, _) = two(None, |builder| builder.order_access(policy.clone())).await;
    let (tailor, mut tailors) = b.server.client(Role::Tailor, "t1").await;
    let (admin, mut admins) = b.server.client(Role::Admin, "a1").await;
    tailor.join_order("o1").await.unwrap();
    admin.join_order("o1").await.unwrap();
    for i in 0..20 {
        a.server
            .realtime()
            .volatile()
            .send([order("o1")], ("at", json!(i)))
            .unwrap();
        assert_eq!(event(&mut tailors, "at").await.data, json!(i));
    }
    policy.deny("t1");
    a.server
        .realtime()
        .recheck_order(&"o1".parse().unwrap())
        .await
        .unwrap();
    // At once: neither node has dispatched the recheck yet.
    a.server
        .realtime()
        .volatile()
        .send([order("o1")], ("at", json!("secret")))
        .unwrap();
    tick(a.server.realtime(), user("t1"), 1).await;
    let mut seen = Vec::new();
    while seen.last() != Some(&json!({ "i": 1 })) {
        let mut data = tailors.next_event().await.unwrap().data;
        data.as_object_mut().map(|members| members.remove("_rt"));
        seen.push(data);
    }
    assert!(!seen.contains(&json!("secret")), "{seen:?}");
    a.server
        .realtime()
        .volatile()
        .send([order("o1")], ("at", json!("for whom it is")))
        .unwrap();
    let mut last = json!(null);
    while last != json!("for whom it is") {
        last = event(&mut admins, "at").await.data;
    }
}

#[tokio::test]
async fn a_recheck_here_is_one_there() {
    let policy = Policy::new();
    let (a, b, _) = two(None, |builder| builder.order_access(policy.clone())).await;
    let (tailor, mut updates) = b.server.client(Role::Tailor, "t1").await;
    tailor.join_order("o1").await.unwrap();
    policy.deny("t1");
    a.server
        .realtime()
        .recheck_order(&"o1".parse().unwrap())
        .await
        .unwrap();
    assert_eq!(
        event(&mut updates, "rt:room_left").await.data["reason"],
        "access_revoked"
    );
}

#[tokio::test]
async fn whom_one_node_disconnects_all_do() {
    let (a, b, _) = two(None, |builder| builder).await;
    let (_here, mut here) = a.server.client(Role::Customer, "c1").await;
    let (_there, mut there) = b.server.client(Role::Customer, "c1").await;
    a.server
        .realtime()
        .disconnect_user(&"c1".parse().unwrap())
        .await
        .unwrap();
    disconnected(&mut here).await;
    disconnected(&mut there).await;
}

/// The last ring that went over the wire, from another node, and for another entry.
fn forged(wire: &Wire, n: u64) -> Vec<u8> {
    let mut ring = wire
        .carried()
        .into_iter()
        .rfind(|frame| frame.len() == RING && frame[4] == 0)
        .unwrap();
    ring[10] ^= 0xff;
    ring[N..].copy_from_slice(&n.to_be_bytes());
    ring
}

#[tokio::test]
async fn repeated_rings_are_free_and_forged_ones_cost_few_looks() {
    let (a, b, wire) = two(None, |builder| builder).await;
    let (_phone, mut updates) = b.server.client(Role::Customer, "c1").await;
    tick(a.server.realtime(), user("c1"), 1).await;
    assert_eq!(ticks(&mut updates, 1).await, [1]);

    let before = b.log.looks();
    (0..10_000).for_each(|_| wire.say(&forged(&wire, 1)));
    assert_eq!(b.log.looks(), before);

    let began = Instant::now();
    for i in 0..10_000 {
        wire.say(&forged(&wire, 1_000 + i * i));
    }
    // One per 100 ms, and one that waits.
    let allowed = began.elapsed().as_millis() / 100 + 2;
    let looks = b.log.looks() - before;
    assert!(
        (1..=allowed).contains(&u128::from(looks)),
        "{looks} looks, {allowed} are allowed"
    );

    tick(a.server.realtime(), user("c1"), 2).await;
    assert_eq!(ticks(&mut updates, 1).await, [2]);
}

#[tokio::test]
async fn garbage_is_counted_and_dropped() {
    let (a, b, wire) = two(None, |builder| builder).await;
    tick(a.server.realtime(), user("c1"), 1).await;
    let before = (
        b.log.looks(),
        b.server.realtime().doorbell_counts().unreadable,
    );
    for garbage in [&b""[..], b"MB", &[0xff; 100_000], b"{\"n\":7}", &[b'M'; 53]] {
        wire.say(garbage);
    }
    assert_eq!(
        (
            b.log.looks(),
            b.server.realtime().doorbell_counts().unreadable
        ),
        (before.0, before.1 + 5)
    );
}

async fn signed() -> (Node, Node, Wire, Client, Updates) {
    let key = ClusterKey::new("sixteen bytes or more").unwrap();
    let (a, b, wire) = two(None, |builder| builder.cluster_key(key.clone())).await;
    let (phone, updates) = b.server.client(Role::Customer, "c1").await;
    (a, b, wire, phone, updates)
}

#[tokio::test]
async fn what_is_signed_arrives_and_what_is_not_does_not() {
    let (a, b, wire, _phone, mut updates) = signed().await;
    a.server
        .realtime()
        .volatile()
        .broadcast(("at", json!("ours")))
        .unwrap();
    assert_eq!(event(&mut updates, "at").await.data, "ours");

    let strangers = node(&SharedLog::default(), &wire, None, |builder| builder).await;
    eventually("the stranger to listen", || wire.listening() == 3).await;
    let other = ClusterKey::new("another key than ours").unwrap();
    let others = node(&SharedLog::default(), &wire, None, |builder| {
        builder.cluster_key(other)
    })
    .await;
    eventually("the other to listen", || wire.listening() == 4).await;
    let looks = b.log.looks();
    for forger in [&strangers, &others] {
        tick(forger.server.realtime(), user("c1"), 1).await;
        forger
            .server
            .realtime()
            .volatile()
            .broadcast(("at", json!("forged")))
            .unwrap();
    }
    eventually("all of it to be heard", || {
        b.server.realtime().doorbell_counts().unsigned >= 4
    })
    .await;
    assert_eq!(b.log.looks(), looks);
    a.server
        .realtime()
        .volatile()
        .broadcast(("at", json!("ours again")))
        .unwrap();
    assert_eq!(event(&mut updates, "at").await.data, "ours again");
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
    recorded.iter().for_each(|frame| wire.say(frame));
    assert!(b.server.realtime().doorbell_counts().repeated >= 1);
    a.server
        .realtime()
        .volatile()
        .broadcast(("at", json!(2)))
        .unwrap();
    assert_eq!(event(&mut updates, "at").await.data, 2);
}

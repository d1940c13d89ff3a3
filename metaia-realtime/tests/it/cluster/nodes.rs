//! Two nodes with a shared log and a doorbell between them.

use std::time::Duration;

use metaia_realtime::{
    RealtimeBuilder, Role,
    testing::{NodeLog, SharedLog, TestServer, Wire, eventually},
};
use serde_json::json;

use crate::support::{
    disconnected, event, fences::check_fences, order, policy::Policy, raw_socket::RawSocket, tick,
    ticks, user,
};

/// A node, and its view of the shared log.
pub(crate) struct Node {
    pub(crate) server: TestServer,
    pub(crate) log: NodeLog,
}

pub(super) async fn node(
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

/// Starts two nodes. Each finds the other's entries by the doorbell, and by polling the log every
/// `poll`.
pub(super) async fn two_nodes(
    poll: Option<Duration>,
    configure: impl Fn(RealtimeBuilder) -> RealtimeBuilder,
) -> (Node, Node, Wire) {
    let shared = SharedLog::default();
    let wire = Wire::new();
    let a = node(&shared, &wire, poll, &configure).await;
    let b = node(&shared, &wire, poll, &configure).await;
    eventually("both to be subscribed", || wire.listening() == 2).await;
    (a, b, wire)
}

#[tokio::test]
async fn an_entry_appended_on_one_node_arrives_at_the_other() {
    let (a, b, _) = two_nodes(None, |builder| builder).await;
    let (_phone, mut updates) = b.server.client(Role::Customer, "c1").await;
    for i in 0..100 {
        tick(a.server.realtime(), user("c1"), i).await;
    }
    assert_eq!(ticks(&mut updates, 100).await, (0..100).collect::<Vec<_>>());
}

#[tokio::test]
async fn without_the_doorbell_an_entry_arrives_by_polling() {
    let (a, b, wire) = two_nodes(Some(Duration::from_millis(50)), |builder| builder).await;
    let (_phone, mut updates) = b.server.client(Role::Customer, "c1").await;
    wire.cut();
    tick(a.server.realtime(), user("c1"), 1).await;
    assert_eq!(ticks(&mut updates, 1).await, [1]);
    assert!(!b.server.realtime().doorbell_connected());
}

/// Nothing tells the node of them but the head of the log.
#[tokio::test]
async fn a_fence_covers_the_entries_of_other_nodes_without_the_doorbell() {
    let (a, b, wire) = two_nodes(None, |builder| builder).await;
    wire.cut();
    check_fences(a.server.realtime(), &b.server).await;
}

#[tokio::test]
async fn an_entry_whose_notification_was_lost_is_found_after_the_reconnect() {
    let (a, b, wire) = two_nodes(None, |builder| builder).await;
    let (_phone, mut updates) = b.server.client(Role::Customer, "c1").await;
    wire.cut();
    tick(a.server.realtime(), user("c1"), 1).await;
    wire.mend();
    assert_eq!(ticks(&mut updates, 1).await, [1]);
}

#[tokio::test]
async fn a_volatile_event_reaches_the_other_node() {
    let (a, b, wire) = two_nodes(None, |builder| builder.order_access(Policy::new())).await;
    let (phone, mut updates) = b.server.client(Role::Customer, "c1").await;
    phone.join_order("o1").await.unwrap();
    a.server
        .realtime()
        .volatile()
        .send([user("c1"), order("o1")], ("at", json!([1, "x"])))
        .unwrap();
    assert_eq!(event(&mut updates, "at").await.data, json!([1, "x"]));
    // The phone is in both rooms, and receives one copy. Without a connection between the nodes, it
    // receives none.
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
async fn the_key_of_a_volatile_event_reaches_the_other_node() {
    let (a, b, _wire) = two_nodes(None, |builder| builder).await;
    let hold = json!({ "hold": true });
    let mut socket = RawSocket::connect(&b.server, Role::Customer, "c1", hold).await;
    for (i, key) in (1..).zip(["d1", "d2", "d1"]) {
        let sender = a.server.realtime().volatile().keyed(key);
        sender
            .send([user("c1")], ("at", json!({ "i": i })))
            .unwrap();
    }
    socket.send(r#"420["rt:resume",{}]"#).await;
    let places = [
        socket.until(r#"42["at""#).await,
        socket.until(r#"42["at""#).await,
    ];
    assert_eq!(places, [r#"42["at",{"i":3}]"#, r#"42["at",{"i":2}]"#]);
}

#[tokio::test]
async fn a_client_that_lost_the_room_receives_no_volatile_event_of_it() {
    let policy = Policy::new();
    let (a, b, _) = two_nodes(None, |builder| builder.order_access(policy.clone())).await;
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
    // Published at once, before either node has dispatched the recheck.
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
        .send([order("o1")], ("at", json!("for members")))
        .unwrap();
    let mut last = json!(null);
    while last != json!("for members") {
        last = event(&mut admins, "at").await.data;
    }
}

#[tokio::test]
async fn a_recheck_on_one_node_takes_effect_on_the_other() {
    let policy = Policy::new();
    let (a, b, _) = two_nodes(None, |builder| builder.order_access(policy.clone())).await;
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
async fn a_user_disconnected_by_one_node_is_disconnected_by_all() {
    let (a, b, _) = two_nodes(None, |builder| builder).await;
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

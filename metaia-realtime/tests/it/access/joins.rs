//! The access policy for the rooms of orders: at the join, and at a recheck.

use metaia_realtime::{
    Census, MemoryLog, NewEntry, Role,
    client::{JoinError, Transport},
    log::Retention,
    testing::{TestServer, eventually},
};
use serde_json::json;

use super::{client_in_room, server_with_policy};
use crate::support::{
    connect, event, limits, on_each_transport, order, policy::Policy, raw_client::RawClient, tick,
    ticks, user,
};

on_each_transport! {
    #[tokio::test]
    a_denied_user_is_refused_and_receives_nothing,
    a_replaced_tailor_receives_nothing_after_the_recheck,
    entries_wait_for_the_policys_decision_and_then_arrive_in_order,
    a_decision_from_before_a_recheck_admits_no_client,
    a_client_that_leaves_while_it_joins_leaves_nothing_behind,
    orders_of_the_connect_are_decided_one_by_one,
    a_recheck_that_was_trimmed_before_it_was_read_takes_effect,
    a_join_that_is_revoked_while_it_replays_is_refused,
}

async fn a_denied_user_is_refused_and_receives_nothing(transport: Transport) {
    let (server, policy) = server_with_policy().await;
    policy.deny("denied");
    let (client, mut updates) = connect(&server, transport, Role::Tailor, "denied").await;
    assert_eq!(
        client.join_order("o1").await.unwrap_err(),
        JoinError::Refused("forbidden".to_owned())
    );
    tick(server.realtime(), order("o1"), 1).await;
    tick(server.realtime(), user("denied"), 2).await;
    assert_eq!(ticks(&mut updates, 1).await, [2]);
}

async fn a_replaced_tailor_receives_nothing_after_the_recheck(transport: Transport) {
    let (server, policy) = server_with_policy().await;
    let (_tailor, mut tailors) = client_in_room(&server, transport, Role::Tailor, "t1").await;
    let (_admin, mut admins) = client_in_room(&server, transport, Role::Admin, "a1").await;
    policy.deny("t1");
    let change = |i: u64| NewEntry::event([order("o1")], ("tick", json!({ "i": i }))).unwrap();
    let entries = vec![
        change(1),
        NewEntry::recheck("o1".parse().unwrap()),
        change(2),
    ];
    server.realtime().publish(entries).await.unwrap();
    tick(server.realtime(), user("t1"), 3).await;
    assert_eq!(ticks(&mut tailors, 1).await, [1]);
    assert_eq!(
        event(&mut tailors, "rt:room_left").await.data,
        json!({ "room": "order-o1", "reason": "access_revoked" })
    );
    assert_eq!(ticks(&mut tailors, 1).await, [3]);
    assert_eq!(ticks(&mut admins, 2).await, [1, 2]);
}

async fn entries_wait_for_the_policys_decision_and_then_arrive_in_order(transport: Transport) {
    let (server, policy) = server_with_policy().await;
    let (_tailor, mut updates) = client_in_room(&server, transport, Role::Tailor, "t1").await;
    policy.pause();
    server
        .realtime()
        .recheck_order(&"o1".parse().unwrap())
        .await
        .unwrap();
    for i in 0..600 {
        let room = if i % 2 == 0 { order("o1") } else { user("t1") };
        tick(server.realtime(), room, i).await;
    }
    eventually("the policy to be asked again", || policy.asked() == 2).await;
    policy.resume();
    assert_eq!(ticks(&mut updates, 600).await, (0..600).collect::<Vec<_>>());
}

async fn a_decision_from_before_a_recheck_admits_no_client(transport: Transport) {
    let (server, policy) = server_with_policy().await;
    let (_witness, mut witness) = connect(&server, transport, Role::Admin, "a1").await;
    policy.pause();
    let (client, mut updates) = connect(&server, transport, Role::Tailor, "t1").await;
    let join = client.join_order("o1");
    let change = async {
        eventually("the policy to be asked", || policy.asked() == 1).await;
        policy.deny("t1");
        server
            .realtime()
            .recheck_order(&"o1".parse().unwrap())
            .await
            .unwrap();
        // Once the witness has received this, the recheck has been dispatched.
        tick(server.realtime(), user("a1"), 1).await;
        ticks(&mut witness, 1).await;
        policy.resume();
    };
    let (joined, ()) = tokio::join!(join, change);
    assert_eq!(
        joined.unwrap_err(),
        JoinError::Refused("forbidden".to_owned())
    );
    assert_eq!(policy.asked(), 2);
    tick(server.realtime(), order("o1"), 2).await;
    tick(server.realtime(), user("t1"), 3).await;
    assert_eq!(ticks(&mut updates, 1).await, [3]);
    eventually("the join to be removed", || {
        server.realtime().census().joins == 0
    })
    .await;
}

async fn a_client_that_leaves_while_it_joins_leaves_nothing_behind(transport: Transport) {
    let (server, policy) = server_with_policy().await;
    let mut socket =
        RawClient::connect_until_ready(&server, transport, (Role::Tailor, "t1"), json!({})).await;
    policy.pause();
    socket.send(r#"421["join_order_room","o1"]"#).await;
    eventually("the policy to be asked", || policy.asked() == 1).await;
    socket.vanish().await;
    eventually("the session to end", || {
        server.realtime().local_sessions().is_empty()
    })
    .await;
    policy.resume();
    eventually("nothing to remain", || {
        server.realtime().census() == Census::default()
    })
    .await;
}

async fn orders_of_the_connect_are_decided_one_by_one(transport: Transport) {
    let (server, policy) = server_with_policy().await;
    policy.deny("t1");
    let mut socket = RawClient::open(&server, transport).await;
    let auth = json!({ "token": server.token(Role::Tailor, "t1"), "orders": ["o1", "not an id"] });
    socket.send(format!("40{auth}")).await;
    socket.until("40").await;
    assert!(
        socket
            .until("42")
            .await
            .contains(r#""code":"forbidden","ref":"o1""#)
    );
    assert!(
        socket
            .until("42")
            .await
            .contains(r#""code":"invalid_order_id","ref":"not an id""#)
    );
    let ready = socket.until("42").await;
    assert!(
        ready.starts_with(r#"42["rt:ready""#) && !ready.contains("order-o1"),
        "{ready}"
    );
}

async fn a_recheck_that_was_trimmed_before_it_was_read_takes_effect(transport: Transport) {
    let policy = Policy::new();
    let log = MemoryLog::new(Retention::MEMORY.entries(1));
    let server = TestServer::start(|builder| builder.log(log).order_access(policy.clone())).await;
    let (_tailor, mut updates) = client_in_room(&server, transport, Role::Tailor, "t1").await;
    policy.deny("t1");
    let later = NewEntry::event([user("t1")], ("tick", json!({ "i": 1 }))).unwrap();
    server
        .realtime()
        .publish(vec![NewEntry::recheck("o1".parse().unwrap()), later])
        .await
        .unwrap();
    assert_eq!(
        event(&mut updates, "rt:room_left").await.data["reason"],
        "access_revoked"
    );
}

async fn a_join_that_is_revoked_while_it_replays_is_refused(transport: Transport) {
    let policy = Policy::new();
    let small = limits(|limits| limits.window_entries = 8);
    let server =
        TestServer::start(|builder| builder.order_access(policy.clone()).limits(small)).await;
    let since = tick(server.realtime(), order("o1"), 0).await;
    for i in 0..100 {
        let big = ("tick", json!({ "i": i, "x": "x".repeat(30_000) }));
        server.realtime().send([order("o1")], big).await.unwrap();
    }
    let mut socket = RawClient::open(&server, transport).await;
    let auth = json!({ "token": server.token(Role::Tailor, "t1") });
    socket.send(format!("40{auth}")).await;
    socket.until(r#"42["rt:ready""#).await;
    socket
        .send(format!(
            r#"421["join_order_room",{{"orderId":"o1","since":"{since}"}}]"#
        ))
        .await;
    socket.until(r#"42["tick""#).await;
    policy.deny("t1");
    server
        .realtime()
        .recheck_order(&"o1".parse().unwrap())
        .await
        .unwrap();
    eventually("the policy to be asked again", || policy.asked() == 2).await;
    socket.until(r#"42["rt:room_left""#).await;
    assert_eq!(
        socket.until("431").await,
        r#"431[{"status":"error","code":"forbidden"}]"#
    );
}

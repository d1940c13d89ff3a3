//! The policy on order rooms, at the join and when it changes.

use metaia_realtime::{
    MemoryLog, NewEntry, Role,
    client::{Client, JoinError, Updates},
    log::Retention,
    testing::{TestServer, eventually},
};
use serde_json::json;

use crate::{
    event, limits, order,
    support::{policy::Policy, raw_socket::Line},
    tick, ticks, user,
};

async fn guarded() -> (TestServer, Policy) {
    let policy = Policy::new();
    (
        TestServer::start(|builder| builder.order_access(policy.clone())).await,
        policy,
    )
}

async fn in_room(server: &TestServer, role: Role, id: &str) -> (Client, Updates) {
    let (client, updates) = server.client(role, id).await;
    client.join_order("o1").await.unwrap();
    (client, updates)
}

#[tokio::test]
async fn a_stranger_is_refused_and_gets_nothing() {
    let (server, policy) = guarded().await;
    policy.deny("stranger");
    let (client, mut updates) = server.client(Role::Tailor, "stranger").await;
    assert_eq!(
        client.join_order("o1").await.unwrap_err(),
        JoinError::Refused("forbidden".to_owned())
    );
    tick(server.realtime(), order("o1"), 1).await;
    tick(server.realtime(), user("stranger"), 2).await;
    assert_eq!(ticks(&mut updates, 1).await, [2]);
}

#[tokio::test]
async fn a_replaced_tailor_stops_at_the_recheck() {
    let (server, policy) = guarded().await;
    let (_tailor, mut tailors) = in_room(&server, Role::Tailor, "t1").await;
    let (_admin, mut admins) = in_room(&server, Role::Admin, "a1").await;
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

#[tokio::test]
async fn entries_wait_while_the_policy_thinks_and_come_in_order_after_it() {
    let (server, policy) = guarded().await;
    let (_tailor, mut updates) = in_room(&server, Role::Tailor, "t1").await;
    policy.pause();
    server
        .realtime()
        .recheck_order(&"o1".parse().unwrap())
        .await
        .unwrap();
    for i in 0..600 {
        tick(
            server.realtime(),
            if i % 2 == 0 { order("o1") } else { user("t1") },
            i,
        )
        .await;
    }
    eventually("the policy to be asked again", || policy.asked() == 2).await;
    policy.go_on();
    assert_eq!(ticks(&mut updates, 600).await, (0..600).collect::<Vec<_>>());
}

#[tokio::test]
async fn an_answer_from_before_a_recheck_lets_nobody_in() {
    let (server, policy) = guarded().await;
    let (_witness, mut witness) = server.client(Role::Admin, "a1").await;
    policy.pause();
    let (client, mut updates) = server.client(Role::Tailor, "t1").await;
    let join = client.join_order("o1");
    let change = async {
        eventually("the policy to be asked", || policy.asked() == 1).await;
        policy.deny("t1");
        server
            .realtime()
            .recheck_order(&"o1".parse().unwrap())
            .await
            .unwrap();
        // When the witness has this, the recheck has been dispatched.
        tick(server.realtime(), user("a1"), 1).await;
        ticks(&mut witness, 1).await;
        policy.go_on();
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
    eventually("the join to be forgotten", || {
        server.realtime().census().joins == 0
    })
    .await;
}

#[tokio::test]
async fn a_client_that_leaves_while_it_joins_leaves_nothing_behind() {
    let (server, policy) = guarded().await;
    let mut line = Line::connect(&server, Role::Tailor, "t1", json!({})).await;
    policy.pause();
    line.send(r#"421["join_order_room","o1"]"#).await;
    eventually("the policy to be asked", || policy.asked() == 1).await;
    drop(line);
    eventually("the session to end", || {
        server.realtime().local_sessions().is_empty()
    })
    .await;
    policy.go_on();
    eventually("nothing to be left", || {
        server.realtime().census() == metaia_realtime::Census::default()
    })
    .await;
}

#[tokio::test]
async fn orders_of_the_connect_are_decided_one_by_one() {
    let (server, policy) = guarded().await;
    policy.deny("t1");
    let mut line = Line::open(&server).await;
    let auth = json!({ "token": server.token(Role::Tailor, "t1"), "orders": ["o1", "not an id"] });
    line.send(format!("40{auth}")).await;
    line.until("40").await;
    assert!(
        line.until("42")
            .await
            .contains(r#""code":"forbidden","ref":"o1""#)
    );
    assert!(
        line.until("42")
            .await
            .contains(r#""code":"invalid_order_id","ref":"not an id""#)
    );
    let ready = line.until("42").await;
    assert!(
        ready.starts_with(r#"42["rt:ready""#) && !ready.contains("order-o1"),
        "{ready}"
    );
}

#[tokio::test]
async fn a_recheck_that_was_trimmed_before_it_was_seen_is_made_good() {
    let (policy, log) = (Policy::new(), MemoryLog::new(Retention::MEMORY.entries(1)));
    let server = TestServer::start(|builder| builder.log(log).order_access(policy.clone())).await;
    let (_tailor, mut updates) = in_room(&server, Role::Tailor, "t1").await;
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

#[tokio::test]
async fn a_join_that_is_revoked_while_it_replays_is_refused() {
    let policy = Policy::new();
    let small = limits(|limits| limits.window_entries = 8);
    let server =
        TestServer::start(|builder| builder.order_access(policy.clone()).limits(small)).await;
    let since = tick(server.realtime(), order("o1"), 0).await;
    for i in 0..100 {
        let big = ("tick", json!({ "i": i, "x": "x".repeat(30_000) }));
        server.realtime().send([order("o1")], big).await.unwrap();
    }
    let mut line = Line::open(&server).await;
    let auth = json!({ "token": server.token(Role::Tailor, "t1") });
    line.send(format!("40{auth}")).await;
    line.until(r#"42["rt:ready""#).await;
    line.send(format!(
        r#"421["join_order_room",{{"orderId":"o1","since":"{since}"}}]"#
    ))
    .await;
    line.until(r#"42["tick""#).await;
    policy.deny("t1");
    server
        .realtime()
        .recheck_order(&"o1".parse().unwrap())
        .await
        .unwrap();
    eventually("the policy to be asked again", || policy.asked() == 2).await;
    line.until(r#"42["rt:room_left""#).await;
    assert_eq!(
        line.until("431").await,
        r#"431[{"status":"error","code":"forbidden"}]"#
    );
}

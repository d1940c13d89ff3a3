//! Clients that never heard of positions: known again by their device or their token, they get what
//! they missed.

use std::time::Duration;

use futures_util::FutureExt as _;
use metaia_realtime::{
    Authenticator, Identity, Role,
    auth::{AuthError, Credentials},
    device::{DeviceKey, DeviceStore as _, MemoryDevices},
    testing::{TestServer, eventually},
};
use serde_json::{Value, json};

use crate::{
    limits, order,
    support::{policy::Policy, raw_socket::Line},
    tick, user,
};

/// With pings so frequent that a test need not wait for them.
async fn server() -> TestServer {
    guarded(Policy::new()).await
}

async fn guarded(policy: Policy) -> TestServer {
    let limits = limits(|limits| limits.ping_interval = Duration::from_millis(50));
    TestServer::start(|builder| builder.limits(limits).order_access(policy)).await
}

/// A phone that says its device.
async fn phone(server: &TestServer, id: &str) -> (Line, Value) {
    Line::beginning(server, Role::Customer, id, json!({ "device": "d1" })).await
}

async fn gone(server: &TestServer) {
    eventually("everybody to be gone", || {
        server.realtime().local_sessions().is_empty()
    })
    .await;
}

/// A phone of `c1` that is live.
async fn live(server: &TestServer) -> Line {
    let (mut line, _) = phone(server, "c1").await;
    caught_up(&mut line).await;
    line
}

/// The numbers of the ticks before `rt:ready`, and that.
async fn caught_up(line: &mut Line) -> (Vec<u64>, Value) {
    let mut numbers = Vec::new();
    loop {
        let packet = line.next().await.unwrap();
        let event: Value = serde_json::from_str(packet.strip_prefix("42").unwrap()).unwrap();
        match event[0].as_str() {
            Some("rt:ready") => return (numbers, event[1].clone()),
            Some("tick") => numbers.push(event[1]["i"].as_u64().unwrap()),
            _ => panic!("{event} came before rt:ready"),
        }
    }
}

async fn back(server: &TestServer, id: &str) -> (Vec<u64>, Value) {
    let (mut line, _) = phone(server, id).await;
    caught_up(&mut line).await
}

#[tokio::test]
async fn a_broken_line_misses_nothing() {
    let server = server().await;
    let (mut line, _) = phone(&server, "c1").await;
    assert_eq!(caught_up(&mut line).await.1["recovered"], false);
    line.send(r#"42["join_order_room","o1"]"#).await;
    line.send(r#"421["leave_order_room","o9"]"#).await;
    line.until("431").await;
    tick(server.realtime(), user("c1"), 1).await;
    tick(server.realtime(), order("o1"), 2).await;
    line.until(r#"42["tick",{"i":2"#).await;
    line.answer_a_ping().await;
    drop(line);
    for i in 3..=6 {
        let room = if i % 2 == 0 { order("o1") } else { user("c1") };
        tick(server.realtime(), room, i).await;
    }
    let (missed, ready) = back(&server, "c1").await;
    assert_eq!(missed, [3, 4, 5, 6]);
    assert_eq!(
        (&ready["recovered"], &ready["replayed"]),
        (&json!(true), &json!(4))
    );
    assert_eq!(
        ready["rooms"],
        json!(["customer-room", "user-c1", "order-o1"])
    );
}

#[tokio::test]
async fn what_was_sent_into_a_dead_line_comes_again() {
    let server = server().await;
    let mut line = live(&server).await;
    tick(server.realtime(), user("c1"), 1).await;
    line.until(r#"42["tick",{"i":1"#).await;
    line.answer_a_ping().await;
    // The phone has lost its network: the server writes on, and does not know yet.
    for i in 2..=5 {
        tick(server.realtime(), user("c1"), i).await;
    }
    let (missed, ready) = back(&server, "c1").await;
    assert_eq!(
        (missed, &ready["recovered"]),
        (vec![2, 3, 4, 5], &json!(true))
    );
    drop(line);
}

#[tokio::test]
async fn who_says_goodbye_has_got_everything_so_far() {
    let server = server().await;
    let mut line = live(&server).await;
    tick(server.realtime(), user("c1"), 1).await;
    line.until(r#"42["tick",{"i":1"#).await;
    line.send("41").await;
    gone(&server).await;
    tick(server.realtime(), user("c1"), 2).await;
    assert_eq!(back(&server, "c1").await.0, [2]);
}

#[tokio::test]
async fn a_device_of_another_user_resumes_nothing() {
    let server = server().await;
    let mut line = live(&server).await;
    line.answer_a_ping().await;
    drop(line);
    gone(&server).await;
    tick(server.realtime(), user("c1"), 1).await;
    let (missed, ready) = back(&server, "c2").await;
    assert_eq!((missed, &ready["recovered"]), (vec![], &json!(false)));
}

#[tokio::test]
async fn a_position_that_the_client_shows_wins() {
    let server = server().await;
    let line = live(&server).await;
    let since = tick(server.realtime(), user("c1"), 1).await;
    drop(line);
    tick(server.realtime(), user("c1"), 2).await;
    let auth = json!({ "device": "d1", "since": since });
    let (mut line, _) = Line::beginning(&server, Role::Customer, "c1", auth).await;
    assert_eq!(caught_up(&mut line).await.0, [2]);
}

#[tokio::test]
async fn too_much_that_was_missed_is_a_reset() {
    let server = server().await;
    let mut line = live(&server).await;
    line.answer_a_ping().await;
    drop(line);
    gone(&server).await;
    for i in 0..1_001 {
        tick(server.realtime(), user("c1"), i).await;
    }
    let (mut line, _) = phone(&server, "c1").await;
    assert!(
        line.next()
            .await
            .unwrap()
            .starts_with(r#"42["rt:reset",{"reason":"too_old""#)
    );
    assert_eq!(caught_up(&mut line).await.1["recovered"], false);
}

#[tokio::test]
async fn it_can_be_switched_off() {
    let server = TestServer::start(|builder| builder.device_resume(false)).await;
    let line = live(&server).await;
    drop(line);
    gone(&server).await;
    tick(server.realtime(), user("c1"), 1).await;
    let (missed, ready) = back(&server, "c1").await;
    assert_eq!((missed, &ready["recovered"]), (vec![], &json!(false)));
    assert_eq!(server.realtime().census().devices, 0);
}

/// Gives every token the same id.
struct OneTokenId;

impl Authenticator for OneTokenId {
    async fn authenticate(&self, _: Credentials) -> Result<Identity, AuthError> {
        let user = "c1".parse().map_err(|_| AuthError::Unauthorized)?;
        let mut identity = Identity::new(user, Role::Customer);
        identity.token_id = Some("t1".to_owned());
        Ok(identity)
    }
}

#[tokio::test]
async fn a_phone_whose_line_broke_silently_gets_everything_once() {
    let limits = limits(|limits| {
        limits.ping_interval = Duration::from_millis(50);
        limits.ping_timeout = Duration::from_millis(300);
    });
    let server =
        TestServer::start(|builder| builder.limits(limits).authenticator(OneTokenId)).await;
    let connect = async || {
        Line::beginning(&server, Role::Customer, "c1", json!({}))
            .await
            .0
    };
    let mut before = connect().await;
    caught_up(&mut before).await;
    before.answer_a_ping().await;
    tick(server.realtime(), user("c1"), 1).await;
    // It comes back while the server still takes the old connection for a living one.
    let mut after = connect().await;
    assert_eq!(caught_up(&mut after).await.0, [1]);
    after.answer_a_ping().await;
    // The old one is found dead; its position has been claimed.
    after
        .answering("the old session to end", || {
            server.realtime().local_sessions().len() == 1
        })
        .await;
    after.answer_a_ping().await;
    drop(after);
    gone(&server).await;
    tick(server.realtime(), user("c1"), 2).await;
    let mut again = connect().await;
    let (missed, ready) = caught_up(&mut again).await;
    assert_eq!(missed, [2], "{ready}");
    drop(before);
}

/// A phone was in the room of an order, and its line broke. Then something happened there.
async fn away(server: &TestServer) {
    let (mut line, _) = phone(server, "c1").await;
    caught_up(&mut line).await;
    line.send(r#"421["join_order_room","o1"]"#).await;
    line.until("431").await;
    line.answer_a_ping().await;
    drop(line);
    gone(server).await;
    tick(server.realtime(), order("o1"), 1).await;
}

#[tokio::test]
async fn a_line_that_breaks_while_rooms_are_joined_again_forgets_none_of_them() {
    let policy = Policy::new();
    let server = guarded(policy.clone()).await;
    away(&server).await;
    policy.pause();
    let (line, _) = phone(&server, "c1").await;
    eventually("the policy to be asked", || policy.asked() == 2).await;
    drop(line);
    gone(&server).await;
    policy.go_on();
    assert_eq!(back(&server, "c1").await.0, [1]);
}

#[tokio::test]
async fn a_room_that_cannot_be_decided_on_is_waited_for() {
    let policy = Policy::new();
    let server = guarded(policy.clone()).await;
    away(&server).await;
    policy.is_undecided(true);
    let (mut line, _) = phone(&server, "c1").await;
    eventually("the policy to be asked", || policy.asked() >= 2).await;
    policy.is_undecided(false);
    assert_eq!(caught_up(&mut line).await.0, [1]);
}

/// The server may be killed at any moment.
#[tokio::test]
async fn a_room_that_was_joined_is_stored_soon() {
    let devices = MemoryDevices::default();
    let kept = devices.clone();
    let server =
        TestServer::start(|builder| builder.order_access(Policy::new()).device_store(kept)).await;
    let mut line = live(&server).await;
    line.send(r#"421["join_order_room","o1"]"#).await;
    line.until("431").await;
    let identity = Identity::new("c1".parse().unwrap(), Role::Customer);
    let key = DeviceKey::of(&identity, Some(&"d1".parse().unwrap())).unwrap();
    eventually("the room to be stored", || {
        let record = devices.load(&key).now_or_never().unwrap().unwrap();
        record.is_some_and(|record| record.orders == ["o1".parse().unwrap()])
    })
    .await;
}

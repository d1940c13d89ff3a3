//! Clients that do not know positions: the node recognises their device or their token, and sends
//! what they missed.

use std::time::Duration;

use futures_util::FutureExt as _;
use metaia_realtime::{
    Authenticator, Identity, Role,
    auth::{AuthError, Credentials},
    client::Transport,
    device::{Claimant, DeviceKey, DeviceStore as _, MemoryDevices},
    testing::{TestServer, eventually},
};
use serde_json::{Value, json};

use crate::support::{
    limits, on_each_transport, order, policy::Policy, raw_client::RawClient, tick, user,
};

on_each_transport! {
    #[tokio::test]
    a_device_that_reconnects_misses_nothing,
    events_sent_into_a_dead_connection_are_sent_again,
    a_client_that_disconnects_cleanly_has_received_everything_so_far,
    a_device_of_another_user_resumes_nothing,
    the_clients_own_position_takes_precedence,
    too_many_missed_entries_lead_to_a_reset,
    device_resume_can_be_switched_off,
    two_tabs_of_one_device_both_receive_everything,
    of_two_tabs_that_dropped_the_second_to_return_misses_nothing,
    of_two_tabs_whose_lines_broke_silently_the_second_to_return_misses_nothing,
    a_tab_that_returns_gets_no_event_twice_when_the_other_tab_stayed,
    a_phone_whose_connection_broke_silently_receives_everything_once,
    a_connection_that_breaks_while_rooms_are_rejoined_forgets_no_room,
    an_undecided_room_is_retried,
    a_room_that_was_joined_is_stored_soon,
}

/// Starts a server that sends pings so often that a test need not wait for them.
async fn server() -> TestServer {
    server_with_policy(Policy::new()).await
}

async fn server_with_policy(policy: Policy) -> TestServer {
    let limits = limits(|limits| limits.ping_interval = Duration::from_millis(50));
    TestServer::start(|builder| builder.limits(limits).order_access(policy)).await
}

/// Connects a phone that names its device.
async fn phone<'a>(server: &'a TestServer, transport: Transport, id: &str) -> RawClient<'a> {
    RawClient::connect(
        server,
        transport,
        (Role::Customer, id),
        json!({ "device": "d1" }),
    )
    .await
}

/// Waits until all sessions have ended.
async fn all_gone(server: &TestServer) {
    eventually("all sessions to end", || {
        server.realtime().local_sessions().is_empty()
    })
    .await;
}

/// Connects a phone of `c1`, and waits until it is live.
async fn live_phone(server: &TestServer, transport: Transport) -> RawClient<'_> {
    let mut socket = phone(server, transport, "c1").await;
    read_until_ready(&mut socket).await;
    socket
}

/// Reads up to `rt:ready`. Returns the numbers of the ticks before it, and its payload.
async fn read_until_ready(socket: &mut RawClient<'_>) -> (Vec<u64>, Value) {
    let mut numbers = Vec::new();
    loop {
        let packet = socket.next().await.unwrap();
        let event: Value = serde_json::from_str(packet.strip_prefix("42").unwrap()).unwrap();
        match event[0].as_str() {
            Some("rt:ready") => return (numbers, event[1].clone()),
            Some("tick") => numbers.push(event[1]["i"].as_u64().unwrap()),
            _ => panic!("{event} came before rt:ready"),
        }
    }
}

/// Connects the phone again. Returns the missed ticks, and the payload of `rt:ready`.
async fn reconnect(server: &TestServer, transport: Transport, id: &str) -> (Vec<u64>, Value) {
    let mut socket = phone(server, transport, id).await;
    read_until_ready(&mut socket).await
}

async fn a_device_that_reconnects_misses_nothing(transport: Transport) {
    let server = server().await;
    let mut socket = phone(&server, transport, "c1").await;
    assert_eq!(read_until_ready(&mut socket).await.1["recovered"], false);
    socket.send(r#"42["join_order_room","o1"]"#).await;
    socket.send(r#"421["leave_order_room","o9"]"#).await;
    socket.until("431").await;
    tick(server.realtime(), user("c1"), 1).await;
    tick(server.realtime(), order("o1"), 2).await;
    socket.until(r#"42["tick",{"i":2"#).await;
    socket.answer_a_ping().await;
    socket.vanish().await;
    for i in 3..=6 {
        let room = if i % 2 == 0 { order("o1") } else { user("c1") };
        tick(server.realtime(), room, i).await;
    }
    let (missed, ready) = reconnect(&server, transport, "c1").await;
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

async fn events_sent_into_a_dead_connection_are_sent_again(transport: Transport) {
    let server = server().await;
    let mut socket = live_phone(&server, transport).await;
    tick(server.realtime(), user("c1"), 1).await;
    socket.until(r#"42["tick",{"i":1"#).await;
    socket.answer_a_ping().await;
    // The phone has lost its network. The server has not noticed, and continues to write.
    for i in 2..=5 {
        tick(server.realtime(), user("c1"), i).await;
    }
    let (missed, ready) = reconnect(&server, transport, "c1").await;
    assert_eq!(
        (missed, &ready["recovered"]),
        (vec![2, 3, 4, 5], &json!(true))
    );
    socket.vanish().await;
}

async fn a_client_that_disconnects_cleanly_has_received_everything_so_far(transport: Transport) {
    let server = server().await;
    let mut socket = live_phone(&server, transport).await;
    tick(server.realtime(), user("c1"), 1).await;
    socket.until(r#"42["tick",{"i":1"#).await;
    socket.send("41").await;
    all_gone(&server).await;
    tick(server.realtime(), user("c1"), 2).await;
    assert_eq!(reconnect(&server, transport, "c1").await.0, [2]);
}

async fn a_device_of_another_user_resumes_nothing(transport: Transport) {
    let server = server().await;
    let mut socket = live_phone(&server, transport).await;
    socket.answer_a_ping().await;
    socket.vanish().await;
    all_gone(&server).await;
    tick(server.realtime(), user("c1"), 1).await;
    let (missed, ready) = reconnect(&server, transport, "c2").await;
    assert_eq!((missed, &ready["recovered"]), (vec![], &json!(false)));
}

async fn the_clients_own_position_takes_precedence(transport: Transport) {
    let server = server().await;
    let socket = live_phone(&server, transport).await;
    let since = tick(server.realtime(), user("c1"), 1).await;
    socket.vanish().await;
    tick(server.realtime(), user("c1"), 2).await;
    let auth = json!({ "device": "d1", "since": since });
    let mut socket = RawClient::connect(&server, transport, (Role::Customer, "c1"), auth).await;
    assert_eq!(read_until_ready(&mut socket).await.0, [2]);
}

async fn too_many_missed_entries_lead_to_a_reset(transport: Transport) {
    let server = server().await;
    let mut socket = live_phone(&server, transport).await;
    socket.answer_a_ping().await;
    socket.vanish().await;
    all_gone(&server).await;
    for i in 0..1_001 {
        tick(server.realtime(), user("c1"), i).await;
    }
    let mut socket = phone(&server, transport, "c1").await;
    assert!(
        socket
            .next()
            .await
            .unwrap()
            .starts_with(r#"42["rt:reset",{"reason":"too_old""#)
    );
    assert_eq!(read_until_ready(&mut socket).await.1["recovered"], false);
}

async fn device_resume_can_be_switched_off(transport: Transport) {
    let server = TestServer::start(|builder| builder.device_resume(false)).await;
    let socket = live_phone(&server, transport).await;
    socket.vanish().await;
    all_gone(&server).await;
    tick(server.realtime(), user("c1"), 1).await;
    let (missed, ready) = reconnect(&server, transport, "c1").await;
    assert_eq!((missed, &ready["recovered"]), (vec![], &json!(false)));
    assert_eq!(server.realtime().census().devices, 0);
}

/// Reads ticks up to this one, and answers a ping after it.
async fn receive_tick(socket: &mut RawClient<'_>, i: u64) {
    socket.until(&format!(r#"42["tick",{{"i":{i}"#)).await;
    socket.answer_a_ping().await;
}

async fn two_tabs_of_one_device_both_receive_everything(transport: Transport) {
    let server = server().await;
    let mut one = live_phone(&server, transport).await;
    let mut other = live_phone(&server, transport).await;
    for i in 1..=5 {
        tick(server.realtime(), user("c1"), i).await;
        receive_tick(&mut one, i).await;
        receive_tick(&mut other, i).await;
    }
    assert_eq!(server.realtime().local_sessions().len(), 2);
}

async fn of_two_tabs_that_dropped_the_second_to_return_misses_nothing(transport: Transport) {
    let server = server().await;
    let mut one = live_phone(&server, transport).await;
    let mut other = live_phone(&server, transport).await;
    tick(server.realtime(), user("c1"), 1).await;
    receive_tick(&mut one, 1).await;
    receive_tick(&mut other, 1).await;
    one.vanish().await;
    other.vanish().await;
    all_gone(&server).await;
    tick(server.realtime(), user("c1"), 2).await;
    let mut one = phone(&server, transport, "c1").await;
    assert_eq!(read_until_ready(&mut one).await.0, [2]);
    tick(server.realtime(), user("c1"), 3).await;
    receive_tick(&mut one, 3).await;
    let mut other = phone(&server, transport, "c1").await;
    assert_eq!(read_until_ready(&mut other).await.0, [2, 3]);
}

/// Both lines break silently, as in a notebook that changes its network.
async fn of_two_tabs_whose_lines_broke_silently_the_second_to_return_misses_nothing(
    transport: Transport,
) {
    let server = server().await;
    let mut lost_one = live_phone(&server, transport).await;
    let mut lost_other = live_phone(&server, transport).await;
    tick(server.realtime(), user("c1"), 1).await;
    receive_tick(&mut lost_one, 1).await;
    receive_tick(&mut lost_other, 1).await;
    lost_one.answer_a_ping().await;
    tick(server.realtime(), user("c1"), 2).await;
    let mut one = phone(&server, transport, "c1").await;
    assert_eq!(read_until_ready(&mut one).await.0, [2]);
    tick(server.realtime(), user("c1"), 3).await;
    receive_tick(&mut one, 3).await;
    let mut other = phone(&server, transport, "c1").await;
    assert_eq!(read_until_ready(&mut other).await.0, [2, 3]);
    drop((lost_one, lost_other));
}

async fn a_tab_that_returns_gets_no_event_twice_when_the_other_tab_stayed(transport: Transport) {
    let server = server().await;
    let mut stays = live_phone(&server, transport).await;
    for round in 0..3_u64 {
        let mut drops = phone(&server, transport, "c1").await;
        read_until_ready(&mut drops).await;
        let seen = round * 2 + 1;
        tick(server.realtime(), user("c1"), seen).await;
        receive_tick(&mut drops, seen).await;
        receive_tick(&mut stays, seen).await;
        // The server has read the pong of this tab before it sees the end of the other one.
        stays.send(r#"421["leave_order_room","none"]"#).await;
        stays.until("431[").await;
        drops.vanish().await;
        eventually("the tab to be gone", || {
            server.realtime().local_sessions().len() == 1
        })
        .await;
        tick(server.realtime(), user("c1"), seen + 1).await;
        receive_tick(&mut stays, seen + 1).await;
        let mut returned = phone(&server, transport, "c1").await;
        assert_eq!(read_until_ready(&mut returned).await.0, [seen + 1]);
        returned.answer_a_ping().await;
        stays.answer_a_ping().await;
        returned.send("41").await;
        eventually("the tab to be gone", || {
            server.realtime().local_sessions().len() == 1
        })
        .await;
    }
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

async fn a_phone_whose_connection_broke_silently_receives_everything_once(transport: Transport) {
    let limits = limits(|limits| {
        limits.ping_interval = Duration::from_millis(50);
        limits.ping_timeout = Duration::from_millis(300);
    });
    let server =
        TestServer::start(|builder| builder.limits(limits).authenticator(OneTokenId)).await;
    let connect =
        async || RawClient::connect(&server, transport, (Role::Customer, "c1"), json!({})).await;
    let mut before = connect().await;
    read_until_ready(&mut before).await;
    before.answer_a_ping().await;
    tick(server.realtime(), user("c1"), 1).await;
    // The phone reconnects while the server still considers the old connection alive.
    let mut after = connect().await;
    assert_eq!(read_until_ready(&mut after).await.0, [1]);
    after.answer_a_ping().await;
    // The server finds the old connection dead. The new session has claimed its position.
    after
        .answer_pings_until("the old session to end", || {
            server.realtime().local_sessions().len() == 1
        })
        .await;
    after.answer_a_ping().await;
    after.vanish().await;
    all_gone(&server).await;
    tick(server.realtime(), user("c1"), 2).await;
    let mut again = connect().await;
    let (missed, ready) = read_until_ready(&mut again).await;
    assert_eq!(missed, [2], "{ready}");
    before.vanish().await;
}

/// Connects a phone to the room of the order `o1`, breaks its connection, and publishes to the
/// room.
async fn break_connection_and_publish(server: &TestServer, transport: Transport) {
    let mut socket = phone(server, transport, "c1").await;
    read_until_ready(&mut socket).await;
    socket.send(r#"421["join_order_room","o1"]"#).await;
    socket.until("431").await;
    socket.answer_a_ping().await;
    socket.vanish().await;
    all_gone(server).await;
    tick(server.realtime(), order("o1"), 1).await;
}

async fn a_connection_that_breaks_while_rooms_are_rejoined_forgets_no_room(transport: Transport) {
    let policy = Policy::new();
    let server = server_with_policy(policy.clone()).await;
    break_connection_and_publish(&server, transport).await;
    policy.pause();
    let socket = phone(&server, transport, "c1").await;
    eventually("the policy to be asked", || policy.asked() == 2).await;
    socket.vanish().await;
    all_gone(&server).await;
    policy.resume();
    assert_eq!(reconnect(&server, transport, "c1").await.0, [1]);
}

async fn an_undecided_room_is_retried(transport: Transport) {
    let policy = Policy::new();
    let server = server_with_policy(policy.clone()).await;
    break_connection_and_publish(&server, transport).await;
    policy.set_failing(true);
    let mut socket = phone(&server, transport, "c1").await;
    eventually("the policy to be asked", || policy.asked() >= 2).await;
    policy.set_failing(false);
    assert_eq!(read_until_ready(&mut socket).await.0, [1]);
}

/// The server may be killed at any time, so rooms are not stored at the end of a session only.
async fn a_room_that_was_joined_is_stored_soon(transport: Transport) {
    let devices = MemoryDevices::default();
    let store = devices.clone();
    let server =
        TestServer::start(|builder| builder.order_access(Policy::new()).device_store(store)).await;
    let mut socket = live_phone(&server, transport).await;
    socket.send(r#"421["join_order_room","o1"]"#).await;
    socket.until("431").await;
    let identity = Identity::new("c1".parse().unwrap(), Role::Customer);
    let key = DeviceKey::new(&identity, Some(&"d1".parse().unwrap())).unwrap();
    eventually("the room to be stored", || {
        let claimed = devices.claim(&key, Claimant::New).now_or_never().unwrap();
        let record = claimed.unwrap().own;
        record.is_some_and(|record| record.orders == ["o1".parse().unwrap()])
    })
    .await;
}

//! Limits of sessions and of their rooms.

use metaia_realtime::{
    Realtime, Role,
    client::{Client, ConnectError, JoinError, Transport},
    testing::{TestServer, eventually},
};
use serde_json::json;

use super::server_with;
use crate::support::{
    SOON, connect, disconnected, on_each_transport, raw_client::RawClient,
    raw_socket::open_polling, ready, reconnected,
};

on_each_transport! {
    #[tokio::test]
    rooms_per_session_are_limited,
    a_session_over_the_limit_of_a_user_evicts_the_least_active_which_reconnects,
    a_device_that_connects_again_ends_no_session,
    at_the_limit_of_a_user_a_session_of_the_same_device_goes_first,
    at_the_limit_of_a_user_a_new_device_ends_the_least_active_session_of_all,
    sessions_are_limited,
    two_simultaneous_clients_do_not_both_take_the_last_slot,
}

async fn rooms_per_session_are_limited(transport: Transport) {
    let server = server_with(|limits| limits.rooms_per_session = 5).await;
    let (client, mut updates) = server
        .client_builder(Role::Customer, "c1")
        .transport(transport)
        .orders(["o1"])
        .connect()
        .await
        .unwrap();
    let rooms = ready(&mut updates).await.rooms;
    assert_eq!(rooms, ["customer-room", "user-c1", "order-o1"]);
    client.join_order("o2").await.unwrap();
    client.join_order("o3").await.unwrap();
    let too_many = JoinError::Refused("too_many_rooms".to_owned());
    assert_eq!(client.join_order("o4").await.unwrap_err(), too_many);
    client
        .join_order("o3")
        .await
        .expect("the client is in this room already");
    client.leave_order("o1").await.unwrap();
    client.join_order("o4").await.unwrap();
    assert_eq!(client.join_order("o5").await.unwrap_err(), too_many);
}

async fn a_session_over_the_limit_of_a_user_evicts_the_least_active_which_reconnects(
    transport: Transport,
) {
    let server = server_with(|limits| limits.sessions_per_user = 2).await;
    let (first, mut firsts) = connect(&server, transport, Role::Customer, "c1").await;
    let (_second, mut seconds) = connect(&server, transport, Role::Customer, "c1").await;
    ready(&mut firsts).await;
    ready(&mut seconds).await;
    make_active(&server, &first).await;
    let (third, _thirds) = connect(&server, transport, Role::Customer, "c1").await;
    disconnected(&mut seconds).await;
    assert_eq!(server.realtime().local_sessions().len(), 2);
    third.close().await;
    reconnected(&mut seconds).await;
}

/// Emits events until the client is the only one that was active after it connected.
async fn make_active(server: &TestServer, client: &Client) {
    let is_active = |realtime: &Realtime| {
        let sessions = realtime.local_sessions();
        let newest = sessions.iter().map(|session| session.connected_at).max();
        let last_active = sessions.iter().map(|session| session.active_at).max();
        last_active > newest
    };
    while !is_active(server.realtime()) {
        client
            .emit_with_ack("leave_order_room", "o1", SOON)
            .await
            .unwrap();
    }
}

async fn a_device_that_connects_again_ends_no_session(transport: Transport) {
    let server = server_with(|_| {}).await;
    let builder = server
        .client_builder(Role::Customer, "c1")
        .transport(transport)
        .device("phone");
    let (old, mut olds) = builder.clone().no_reconnect().connect().await.unwrap();
    let (_new, mut news) = builder.connect().await.unwrap();
    ready(&mut olds).await;
    ready(&mut news).await;
    assert_eq!(server.realtime().local_sessions().len(), 2);
    old.emit_with_ack("leave_order_room", "o1", SOON)
        .await
        .expect("the first connection still works");
}

async fn at_the_limit_of_a_user_a_session_of_the_same_device_goes_first(transport: Transport) {
    let server = server_with(|limits| limits.sessions_per_user = 3).await;
    let builder = server
        .client_builder(Role::Customer, "c1")
        .transport(transport)
        .no_reconnect();
    let tablet = builder.clone().device("tablet");
    let phone = builder.device("phone");
    // The least recently active session is that of the tablet.
    let (_idle, _idles) = tablet.connect().await.unwrap();
    let (first, _firsts) = phone.clone().connect().await.unwrap();
    let (_second, mut seconds) = phone.clone().connect().await.unwrap();
    make_active(&server, &first).await;
    let (_third, _thirds) = phone.connect().await.unwrap();
    disconnected(&mut seconds).await;
    let sessions = server.realtime().local_sessions();
    let mut devices: Vec<String> = sessions
        .iter()
        .filter_map(|session| session.device.as_ref())
        .map(ToString::to_string)
        .collect();
    devices.sort_unstable();
    assert_eq!(devices, ["phone", "phone", "tablet"]);
}

async fn at_the_limit_of_a_user_a_new_device_ends_the_least_active_session_of_all(
    transport: Transport,
) {
    let server = server_with(|limits| limits.sessions_per_user = 2).await;
    let builder = server
        .client_builder(Role::Customer, "c1")
        .transport(transport)
        .no_reconnect();
    let phone = builder.clone().device("phone");
    let (first, _firsts) = phone.clone().connect().await.unwrap();
    let (_second, mut seconds) = phone.connect().await.unwrap();
    make_active(&server, &first).await;
    let (_other, _others) = builder.device("tablet").connect().await.unwrap();
    disconnected(&mut seconds).await;
    assert_eq!(server.realtime().local_sessions().len(), 2);
}

async fn sessions_are_limited(transport: Transport) {
    let server = server_with(|limits| limits.sessions = 1).await;
    let (client, _updates) = connect(&server, transport, Role::Customer, "c1").await;
    let answer = open_polling(&server, "").await;
    assert_eq!(answer.status, 503);
    assert!(answer.head.contains("retry-after: ") && answer.body.contains("too_many_sessions"));
    let refused = server
        .client_builder(Role::Customer, "c2")
        .transport(transport)
        .connect()
        .await
        .unwrap_err();
    assert!(
        matches!(refused, ConnectError::Http { status: 503, .. }),
        "{refused}"
    );
    client.close().await;
    eventually("the slot to be free", || {
        server.realtime().local_sessions().is_empty()
    })
    .await;
    connect(&server, transport, Role::Customer, "c2").await;
}

async fn two_simultaneous_clients_do_not_both_take_the_last_slot(transport: Transport) {
    let server = server_with(|limits| limits.sessions = 1).await;
    let mut first = RawClient::open(&server, transport).await;
    let mut second = RawClient::open(&server, transport).await;
    let first_auth = json!({ "token": server.token(Role::Customer, "c1") });
    let second_auth = json!({ "token": server.token(Role::Customer, "c2") });
    first.send(format!("40{first_auth}")).await;
    second.send(format!("40{second_auth}")).await;
    let first_answer = first.next().await;
    let second_answer = second.next().await;
    assert!(
        first_answer.is_some() != second_answer.is_some(),
        "one is admitted, the other closed without an answer"
    );
    assert_eq!(server.realtime().local_sessions().len(), 1);
}

//! Limits of sessions and of their rooms.

use metaia_realtime::{
    Realtime, Role,
    client::{Client, ConnectError, JoinError},
    testing::{TestServer, eventually},
};
use serde_json::json;

use super::server_with;
use crate::support::{
    SOON, disconnected,
    raw_socket::{RawSocket, open_polling},
    ready, reconnected,
};

#[tokio::test]
async fn rooms_per_session_are_limited() {
    let server = server_with(|limits| limits.rooms_per_session = 5).await;
    let (client, mut updates) = server
        .client_builder(Role::Customer, "c1")
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

#[tokio::test]
async fn a_session_over_the_limit_of_a_user_evicts_the_least_active_which_reconnects() {
    let server = server_with(|limits| limits.sessions_per_user = 2).await;
    let (first, mut firsts) = server.client(Role::Customer, "c1").await;
    let (_second, mut seconds) = server.client(Role::Customer, "c1").await;
    ready(&mut firsts).await;
    ready(&mut seconds).await;
    let active = |realtime: &Realtime| {
        let mut times: Vec<i64> = realtime
            .local_sessions()
            .iter()
            .map(|session| session.active_at - session.connected_at)
            .collect();
        times.sort_unstable();
        times[1] > 0
    };
    emit_until(&server, &first, active).await;
    let (third, _thirds) = server.client(Role::Customer, "c1").await;
    disconnected(&mut seconds).await;
    assert_eq!(server.realtime().local_sessions().len(), 2);
    third.close().await;
    reconnected(&mut seconds).await;
}

/// Emits events, and so makes the client active, until `holds` returns true.
async fn emit_until(server: &TestServer, client: &Client, holds: impl Fn(&Realtime) -> bool) {
    while !holds(server.realtime()) {
        client
            .emit_with_ack("leave_order_room", "o1", SOON)
            .await
            .unwrap();
    }
}

#[tokio::test]
async fn a_device_that_connects_again_replaces_its_own_session() {
    let server = server_with(|_| {}).await;
    let builder = server.client_builder(Role::Customer, "c1").device("phone");
    let (_old, mut olds) = builder.clone().no_reconnect().connect().await.unwrap();
    let (_other, _others) = builder.clone().device("tablet").connect().await.unwrap();
    let (_new, _news) = builder.connect().await.unwrap();
    disconnected(&mut olds).await;
    assert_eq!(server.realtime().local_sessions().len(), 2);
}

#[tokio::test]
async fn sessions_are_limited() {
    let server = server_with(|limits| limits.sessions = 1).await;
    let (client, _updates) = server.client(Role::Customer, "c1").await;
    let answer = open_polling(&server, "").await;
    assert_eq!(answer.status, 503);
    assert!(answer.head.contains("retry-after: ") && answer.body.contains("too_many_sessions"));
    let refused = server
        .client_builder(Role::Customer, "c2")
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
    server.client(Role::Customer, "c2").await;
}

#[tokio::test]
async fn two_simultaneous_clients_do_not_both_take_the_last_slot() {
    let server = server_with(|limits| limits.sessions = 1).await;
    let mut first = RawSocket::open(&server).await;
    let mut second = RawSocket::open(&server).await;
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

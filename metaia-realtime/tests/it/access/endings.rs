//! The ends of sessions, after which nothing of them may remain.

use std::{sync::Mutex, time::Duration};

use metaia_realtime::{
    Census, Role,
    client::{ClientCredentials, GaveUp, Transport, Update},
    testing::{TestServer, eventually, within},
};
use serde_json::json;

use crate::support::{
    TRANSPORTS, disconnected, limits, next, on_each_transport,
    policy::Policy,
    poller::Poller,
    raw_client::RawClient,
    raw_socket::{KICKED, RawSocket, open_polling},
    ready, reconnected, tick, ticks, user,
};

on_each_transport! {
    #[tokio::test]
    nothing_remains_of_clients_that_have_left,
    a_disconnected_client_stays_away,
    a_disconnected_client_that_keeps_its_connection_loses_it,
    when_the_token_expires_the_transport_closes_and_the_client_reconnects,
    events_sent_before_a_drain_arrive_before_its_end,
    a_client_that_leaves_before_the_answer_leaves_nothing_behind,
}

async fn nothing_remains_of_clients_that_have_left(transport: Transport) {
    // The time that a client has for another CONNECT after it has left.
    let short = limits(|limits| limits.unauthenticated = Duration::from_secs(2));
    let server =
        TestServer::start(|builder| builder.order_access(Policy::new()).limits(short)).await;
    let start = server.realtime().census();
    for closes_itself in [true, false] {
        let builder = server
            .client_builder(Role::Customer, "c1")
            .transport(transport)
            .no_reconnect();
        let (client, mut updates) = builder.connect().await.unwrap();
        client.join_order("o1").await.unwrap();
        ready(&mut updates).await;
        if closes_itself {
            client.close().await;
        } else {
            server
                .realtime()
                .disconnect_user(&"c1".parse().unwrap())
                .await
                .unwrap();
        }
        eventually("nothing to remain", || server.realtime().census() == start).await;
    }
}

async fn a_disconnected_client_stays_away(transport: Transport) {
    let server = TestServer::start(|builder| builder).await;
    let builder = server
        .client_builder(Role::Customer, "c1")
        .transport(transport);
    let (_client, mut updates) = builder.connect().await.unwrap();
    ready(&mut updates).await;
    server
        .realtime()
        .disconnect_user(&"c1".parse().unwrap())
        .await
        .unwrap();
    let reason = next(&mut updates, "the end", |update| match update {
        Update::GaveUp(reason) => Some(reason),
        _ => None,
    })
    .await;
    assert_eq!(reason, GaveUp::ServerDisconnect);
    assert_eq!(server.realtime().local_sessions().len(), 0);
}

async fn a_disconnected_client_that_keeps_its_connection_loses_it(transport: Transport) {
    let server = TestServer::start(|builder| builder).await;
    let mut socket =
        RawClient::connect_until_ready(&server, transport, (Role::Customer, "c1"), json!({})).await;
    server
        .realtime()
        .disconnect_user(&"c1".parse().unwrap())
        .await
        .unwrap();
    assert_eq!(socket.rest().await, KICKED);
}

/// The end of its last session is not the end of the transport, on which it has another one.
#[tokio::test]
async fn a_disconnected_client_that_polls_and_joins_again_keeps_its_transport() {
    let server = TestServer::start(|builder| builder).await;
    let who = (Role::Customer, "c1");
    let polling = Transport::Polling;
    let mut client = RawClient::connect_until_ready(&server, polling, who, json!({})).await;
    let other = Poller::connect_until_ready(&server, Role::Customer, "c2").await;
    let disconnect = async |user: &str| {
        let user = user.parse().unwrap();
        server.realtime().disconnect_user(&user).await.unwrap();
    };
    disconnect("c1").await;
    client.until("41").await;
    client.send_connect(who, json!({})).await;
    client.until("42[\"rt:ready\"").await;
    // One that fetches nothing loses its transport, and is given more time before.
    disconnect("c2").await;
    within("the end of the other transport", async {
        while other.post(&server, "3").await.status == 200 {}
    })
    .await;
    tick(server.realtime(), user("c1"), 1).await;
    client.until("42[\"tick\"").await;
}

async fn when_the_token_expires_the_transport_closes_and_the_client_reconnects(
    transport: Transport,
) {
    let server = TestServer::start(|builder| builder).await;
    let short_lived = server.token_for(Role::Customer, "c1", Duration::from_secs(1));
    let first_token = Mutex::new(Some(short_lived));
    let next_token = server.token(Role::Customer, "c1");
    let builder = server
        .client_builder(Role::Customer, "c1")
        .transport(transport)
        .renew_token(false)
        .credentials(move || {
            let token = first_token
                .lock()
                .unwrap()
                .take()
                .unwrap_or_else(|| next_token.clone());
            async move { Ok(ClientCredentials::token(token)) }
        });
    let (_client, mut updates) = builder.connect().await.unwrap();
    disconnected(&mut updates).await;
    reconnected(&mut updates).await;
    tick(server.realtime(), user("c1"), 1).await;
    assert_eq!(ticks(&mut updates, 1).await, [1]);
}

#[tokio::test]
async fn a_drain_ends_all_sessions_and_refuses_new_ones() {
    let server = TestServer::start(|builder| builder).await;
    let mut phones = Vec::new();
    for (i, transport) in TRANSPORTS.into_iter().cycle().take(9).enumerate() {
        let builder = server
            .client_builder(Role::Customer, &format!("c{i}"))
            .transport(transport)
            .no_reconnect();
        let (client, mut updates) = builder.connect().await.unwrap();
        ready(&mut updates).await;
        phones.push((client, updates));
    }
    within(
        "the drain",
        server.realtime().drain(Duration::from_secs(10)),
    )
    .await;
    assert_eq!(server.realtime().census(), Census::default());
    for (_, updates) in &mut phones {
        disconnected(updates).await;
    }
    let refused = open_polling(&server, "").await;
    assert_eq!(refused.status, 503);
    assert!(refused.head.contains("retry-after: "), "{}", refused.head);
    assert!(
        refused.body.contains(r#""code":"draining""#),
        "{}",
        refused.body
    );
    assert_eq!(RawSocket::open_with(&server, &[]).await.err(), Some(503));
}

async fn events_sent_before_a_drain_arrive_before_its_end(transport: Transport) {
    let server = TestServer::start(|builder| builder).await;
    let mut socket =
        RawClient::connect_until_ready(&server, transport, (Role::Customer, "c1"), json!({})).await;
    for i in 0..500 {
        tick(server.realtime(), user("c1"), i).await;
    }
    let drain = server.realtime().drain(Duration::from_secs(10));
    let ((), packets) = tokio::join!(within("the drain", drain), socket.rest());
    let ticks = packets
        .iter()
        .filter(|packet| packet.starts_with(r#"42["tick""#))
        .count();
    assert_eq!(ticks, 500);
    assert!(
        packets
            .iter()
            .any(|packet| packet.starts_with(r#"42["rt:drain",{"retryInMs":"#))
    );
}

async fn a_client_that_leaves_before_the_answer_leaves_nothing_behind(transport: Transport) {
    let policy = Policy::new();
    let server = TestServer::start(|builder| builder.order_access(policy.clone())).await;
    policy.pause();
    let mut socket = RawClient::open(&server, transport).await;
    let auth = json!({ "token": server.token(Role::Customer, "c1"), "orders": ["o1"] });
    socket.send(format!("40{auth}")).await;
    eventually("the policy to be asked", || policy.asked() == 1).await;
    socket.vanish().await;
    policy.resume();
    eventually("nothing to remain", || {
        server.realtime().census() == Census::default()
    })
    .await;
}

//! How sessions end, and what is left of them.

use std::time::Duration;

use metaia_realtime::{
    Census, Role,
    client::{GaveUp, Transport, Update},
    testing::{TestServer, eventually, within},
};
use serde_json::json;

use crate::{
    disconnected, next, ready,
    support::{
        policy::Policy,
        raw_socket::{Line, open_polling},
    },
    tick, ticks, user,
};

const ALL: [Transport; 3] = [Transport::WebSocket, Transport::Polling, Transport::Upgrade];

#[tokio::test]
async fn nothing_is_left_of_those_who_have_gone() {
    let server = TestServer::start(|builder| builder.order_access(Policy::new())).await;
    let start = server.realtime().census();
    for transport in ALL {
        for politely in [true, false] {
            let coming = server
                .client_builder(Role::Customer, "c1")
                .transport(transport)
                .no_reconnect();
            let (client, mut updates) = coming.connect().await.unwrap();
            client.join_order("o1").await.unwrap();
            ready(&mut updates).await;
            if politely {
                client.close().await;
            } else {
                server
                    .realtime()
                    .disconnect_user(&"c1".parse().unwrap())
                    .await
                    .unwrap();
            }
            eventually("nothing to be left", || server.realtime().census() == start).await;
        }
    }
}

#[tokio::test]
async fn who_is_kicked_stays_away() {
    let server = TestServer::start(|builder| builder).await;
    for transport in ALL {
        let coming = server
            .client_builder(Role::Customer, "c1")
            .transport(transport);
        let (_client, mut updates) = coming.connect().await.unwrap();
        ready(&mut updates).await;
        server
            .realtime()
            .disconnect_user(&"c1".parse().unwrap())
            .await
            .unwrap();
        let why = next(&mut updates, "the end", |update| match update {
            Update::GaveUp(why) => Some(why),
            _ => None,
        })
        .await;
        assert_eq!(why, GaveUp::ServerDisconnect);
        assert_eq!(server.realtime().local_sessions().len(), 0);
    }
}

#[tokio::test]
async fn who_is_kicked_and_keeps_its_connection_loses_it() {
    let server = TestServer::start(|builder| builder).await;
    let mut line = Line::connect(&server, Role::Customer, "c1", json!({})).await;
    server
        .realtime()
        .disconnect_user(&"c1".parse().unwrap())
        .await
        .unwrap();
    assert_eq!(line.rest().await, ["41"]);
}

#[tokio::test]
async fn at_the_end_of_the_token_the_transport_closes_and_the_client_comes_back() {
    let server = TestServer::start(|builder| builder).await;
    for transport in ALL {
        let short = server.token_for(Role::Customer, "c1", Duration::from_secs(1));
        let (tokens, next_token) = (
            std::sync::Mutex::new(Some(short)),
            server.token(Role::Customer, "c1"),
        );
        let coming = server
            .client_builder(Role::Customer, "c1")
            .transport(transport)
            .credentials(move || {
                let token = tokens
                    .lock()
                    .unwrap()
                    .take()
                    .unwrap_or_else(|| next_token.clone());
                async move { Ok(metaia_realtime::client::Credentials::token(token)) }
            });
        let (_client, mut updates) = coming.connect().await.unwrap();
        disconnected(&mut updates).await;
        next(&mut updates, "the next connection", |u| {
            matches!(u, Update::Connected(_)).then_some(())
        })
        .await;
        tick(server.realtime(), user("c1"), 1).await;
        assert_eq!(ticks(&mut updates, 1).await, [1]);
    }
}

#[tokio::test]
async fn a_drain_ends_all_and_takes_nobody_new() {
    let server = TestServer::start(|builder| builder).await;
    let mut phones = Vec::new();
    for (i, transport) in ALL.into_iter().cycle().take(9).enumerate() {
        let coming = server
            .client_builder(Role::Customer, &format!("c{i}"))
            .transport(transport)
            .no_reconnect();
        let (client, mut updates) = coming.connect().await.unwrap();
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
    let answer = open_polling(&server, "").await;
    assert_eq!(answer.status, 503);
    assert!(answer.head.contains("retry-after: "), "{}", answer.head);
    assert!(
        answer.body.contains(r#""code":"draining""#),
        "{}",
        answer.body
    );
    assert_eq!(Line::open_with(&server, &[]).await.err(), Some(503));
}

#[tokio::test]
async fn what_was_sent_before_a_drain_arrives_before_the_end() {
    let server = TestServer::start(|builder| builder).await;
    let mut line = Line::connect(&server, Role::Customer, "c1", json!({})).await;
    for i in 0..500 {
        tick(server.realtime(), user("c1"), i).await;
    }
    let drain = server.realtime().drain(Duration::from_secs(10));
    let ((), packets) = tokio::join!(within("the drain", drain), line.rest());
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

#[tokio::test]
async fn a_client_that_leaves_before_it_was_answered_leaves_nothing_behind() {
    let policy = Policy::new();
    let server = TestServer::start(|builder| builder.order_access(policy.clone())).await;
    policy.pause();
    let mut line = Line::open(&server).await;
    let auth = json!({ "token": server.token(Role::Customer, "c1"), "orders": ["o1"] });
    line.send(format!("40{auth}")).await;
    eventually("the policy to be asked", || policy.asked() == 1).await;
    drop(line);
    policy.go_on();
    eventually("nothing to be left", || {
        server.realtime().census() == Census::default()
    })
    .await;
}

//! `rt:refresh` and `rt:expiring`: a session goes on with a new token.

use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

use metaia_realtime::{
    Role, Room,
    client::{ClientCredentials, RefreshError, Transport, Update},
    presence::SessionQuery,
    testing::TestServer,
};
use serde_json::{Value, json};

use crate::support::{
    TextTokens, disconnected, event, next, on_each_transport, raw_client::RawClient, ready,
    reconnected, text_token, tick, ticks, user,
};

on_each_transport! {
    #[tokio::test]
    a_session_outlives_its_first_token,
    a_new_role_has_taken_effect_when_the_client_is_answered,
    a_refused_token_is_listed_and_the_session_goes_on,
    a_client_with_a_function_never_loses_its_connection,
    a_client_with_one_token_comes_back_with_the_last_one,
}

const HOUR_MS: i64 = 3_600_000;

async fn server() -> TestServer {
    TestServer::start(|builder| builder.authenticator(TextTokens)).await
}

/// Connects a client with this token, and reads until `rt:ready`.
async fn connect<'a>(server: &'a TestServer, transport: Transport, token: &str) -> RawClient<'a> {
    let mut socket = RawClient::open(server, transport).await;
    let auth = json!({ "token": token });
    socket.send(format!("40{auth}")).await;
    socket.until("42[\"rt:ready\"").await;
    socket
}

/// Refreshes, and returns the answer.
async fn refresh(socket: &mut RawClient<'_>, token: &str) -> Value {
    let event = json!(["rt:refresh", { "token": token }]);
    socket.send(format!("427{event}")).await;
    let answer = socket.until("437").await;
    let answer: Value = serde_json::from_str(answer.strip_prefix("437").unwrap()).unwrap();
    answer[0].clone()
}

async fn a_session_outlives_its_first_token(transport: Transport) {
    let server = server().await;
    let mut socket = connect(&server, transport, &text_token("c1 customer", 2_000, "t1")).await;
    socket.until("42[\"rt:expiring\",{\"expiresAt\":").await;
    let answer = refresh(&mut socket, &text_token("c1 customer", 4_000, "t2")).await;
    assert_eq!(answer["status"], "ok", "{answer}");
    assert!(answer["expiresAt"].is_i64(), "{answer}");
    socket.until("42[\"rt:expiring\"").await;
    // The first token has ended by then.
    let mut ping = tokio::time::interval(Duration::from_millis(500));
    for i in 0..6 {
        ping.tick().await;
        tick(server.realtime(), user("c1"), i).await;
        socket.until(&format!("42[\"tick\",{{\"i\":{i}")).await;
    }
    socket
        .until(r#"42["rt:end",{"code":"token_expired"}]"#)
        .await;
    assert!(socket.rest().await.is_empty());
}

async fn a_new_role_has_taken_effect_when_the_client_is_answered(transport: Transport) {
    let server = server().await;
    let realtime = server.realtime();
    let token = text_token("c1 customer", HOUR_MS, "t1");
    let mut socket = connect(&server, transport, &token).await;
    tick(realtime, Room::Role(Role::Customer), 1).await;
    socket.until("42[\"tick\",{\"i\":1").await;
    let event = json!(["rt:refresh", { "token": text_token("c1 tailor", HOUR_MS, "t2") }]);
    socket.send(format!("427{event}")).await;
    let left = socket.next().await.unwrap();
    assert_eq!(
        left,
        r#"42["rt:room_left",{"room":"customer-room","reason":"role_changed"}]"#
    );
    socket.until("437[{\"status\":\"ok\"").await;
    tick(realtime, Room::Role(Role::Customer), 2).await;
    tick(realtime, Room::Role(Role::Tailor), 3).await;
    let received = socket.next().await.unwrap();
    assert!(received.starts_with("42[\"tick\",{\"i\":3"), "{received}");
    let query = SessionQuery {
        role: Some(Role::Tailor),
        ..SessionQuery::default()
    };
    let found = realtime.sessions(&query).await.unwrap().sessions;
    assert_eq!(found[0].user.as_str(), "c1");
    assert!(found[0].expires_at.is_some());
}

async fn a_refused_token_is_listed_and_the_session_goes_on(transport: Transport) {
    let server = server().await;
    let realtime = server.realtime();
    let token = text_token("c1 customer", HOUR_MS, "t1");
    let mut socket = connect(&server, transport, &token).await;
    for (token, code) in [
        (text_token("c2 customer", HOUR_MS, "t2"), "forbidden"),
        (text_token("c1 customer", -10_000, "t2"), "token_expired"),
        ("nonsense".to_owned(), "unauthorized"),
    ] {
        let answer = refresh(&mut socket, &token).await;
        assert_eq!(answer, json!({ "status": "error", "code": code }));
        let listed = &realtime.refusals(0)[0];
        assert_eq!((listed.code, listed.event), (code, Some("rt:refresh")));
        assert_eq!(listed.user.as_ref().unwrap().as_str(), "c1");
        let way = match transport {
            Transport::Polling => "polling",
            _ => "websocket",
        };
        assert_eq!(listed.transport, Some(way));
    }
    let stats = realtime.stats();
    assert_eq!(
        (stats.refreshes, stats.refreshes_refused["forbidden"]),
        (0, 1)
    );
    assert_eq!(stats.events_refused["unauthorized"], 1);
    tick(realtime, user("c1"), 1).await;
    socket.until("42[\"tick\",{\"i\":1").await;
}

async fn a_client_with_a_function_never_loses_its_connection(transport: Transport) {
    let server = server().await;
    let asked = AtomicU64::new(0);
    let credentials = move || {
        let id = asked.fetch_add(1, Ordering::SeqCst);
        let token = text_token("c1 customer", 3_000, &format!("t{id}"));
        async move { Ok(ClientCredentials::token(token)) }
    };
    let builder = server
        .client_builder(Role::Customer, "c1")
        .transport(transport)
        .credentials(credentials);
    let (_client, mut updates) = builder.connect().await.unwrap();
    ready(&mut updates).await;
    let mut pause = tokio::time::interval(Duration::from_millis(500));
    for i in 0..16 {
        pause.tick().await;
        tick(server.realtime(), user("c1"), i).await;
        let number = next(&mut updates, "a tick", |update| match update {
            Update::Event(event) if event.name == "tick" => event.data["i"].as_u64(),
            Update::Disconnected(reason) => panic!("the connection ended: {reason}"),
            _ => None,
        });
        assert_eq!(number.await, i);
    }
    assert!(server.realtime().stats().refreshes >= 2);
}

async fn a_client_with_one_token_comes_back_with_the_last_one(transport: Transport) {
    let server = server().await;
    let first = text_token("c1 customer", 2_000, "t1");
    let builder = server
        .client_builder(Role::Customer, "c1")
        .transport(transport)
        .token(first);
    let (client, mut updates) = builder.connect().await.unwrap();
    event(&mut updates, "rt:expiring").await;
    let other = client
        .refresh(text_token("c2 customer", HOUR_MS, "t2"))
        .await;
    assert_eq!(other, Err(RefreshError::Refused("forbidden".to_owned())));
    let refreshed = client.refresh(text_token("c1 tailor", HOUR_MS, "t2")).await;
    assert!(refreshed.unwrap().expires_at.is_some());
    client.drop_transport().await;
    disconnected(&mut updates).await;
    reconnected(&mut updates).await;
    assert_eq!(ready(&mut updates).await.role, "tailor");
    tick(server.realtime(), Room::Role(Role::Tailor), 1).await;
    assert_eq!(ticks(&mut updates, 1).await, [1]);
}

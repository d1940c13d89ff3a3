//! Every limit, from outside.

use std::time::Duration;

use metaia_realtime::{
    Limits, Role,
    client::{ConnectError, JoinError, Transport, Update},
    serve::Transports,
    testing::{TestServer, eventually, within},
};
use serde_json::json;

use crate::{
    SOON, disconnected, limits, next, ready,
    support::{
        policy::Policy,
        raw_socket::{Line, http, open_polling},
    },
    tick, ticks, user,
};

async fn limited(change: impl FnOnce(&mut Limits)) -> TestServer {
    TestServer::start(|builder| builder.order_access(Policy::new()).limits(limits(change))).await
}

#[tokio::test]
async fn rooms_per_session() {
    let server = limited(|l| l.rooms_per_session = 5).await;
    let (client, mut updates) = server
        .client_builder(Role::Customer, "c1")
        .orders(["o1"])
        .connect()
        .await
        .unwrap();
    let rooms = ready(&mut updates).await.rooms.len();
    let mut joined = 1;
    let refused = loop {
        match client.join_order(&format!("next{joined}")).await {
            Ok(_) => joined += 1,
            Err(refused) => break refused,
        }
    };
    assert_eq!(refused, JoinError::Refused("too_many_rooms".to_owned()));
    assert!(
        (5..=6).contains(&(rooms + joined - 1)),
        "{rooms} and {joined}"
    );
    client.leave_order("o1").await.unwrap();
    client.join_order("another").await.unwrap();
}

#[tokio::test]
async fn one_session_too_many_of_a_user_sends_the_least_active_away_and_it_comes_back() {
    let server = limited(|l| l.sessions_per_user = 2).await;
    let (first, mut firsts) = server.client(Role::Customer, "c1").await;
    let (_second, mut seconds) = server.client(Role::Customer, "c1").await;
    ready(&mut firsts).await;
    ready(&mut seconds).await;
    let active = |realtime: &metaia_realtime::Realtime| {
        let mut times: Vec<i64> = realtime
            .local_sessions()
            .iter()
            .map(|s| s.active_at - s.connected_at)
            .collect();
        times.sort_unstable();
        times[1] > 0
    };
    within_activity(&server, &first, active).await;
    let (third, _thirds) = server.client(Role::Customer, "c1").await;
    disconnected(&mut seconds).await;
    assert_eq!(server.realtime().local_sessions().len(), 2);
    third.close().await;
    next(&mut seconds, "its return", |u| {
        matches!(u, Update::Connected(_)).then_some(())
    })
    .await;
}

/// Lets the client be active until it shows.
async fn within_activity(
    server: &TestServer,
    client: &metaia_realtime::client::Client,
    shows: impl Fn(&metaia_realtime::Realtime) -> bool,
) {
    while !shows(server.realtime()) {
        client
            .emit_with_ack("leave_order_room", "o1", SOON)
            .await
            .unwrap();
    }
}

#[tokio::test]
async fn the_same_device_replaces_its_own() {
    let server = limited(|_| {}).await;
    let coming = server.client_builder(Role::Customer, "c1").device("phone");
    let (_old, mut olds) = coming.clone().no_reconnect().connect().await.unwrap();
    let (_other, _others) = coming.clone().device("tablet").connect().await.unwrap();
    let (_new, _news) = coming.connect().await.unwrap();
    disconnected(&mut olds).await;
    assert_eq!(server.realtime().local_sessions().len(), 2);
}

#[tokio::test]
async fn sessions_in_all() {
    let server = limited(|l| l.sessions = 1).await;
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
    eventually("the place to be free", || {
        server.realtime().local_sessions().is_empty()
    })
    .await;
    server.client(Role::Customer, "c2").await;
}

#[tokio::test]
async fn two_who_come_at_once_do_not_both_take_the_last_place() {
    let server = limited(|l| l.sessions = 1).await;
    let (mut one, mut two) = (Line::open(&server).await, Line::open(&server).await);
    one.send(format!(
        "40{}",
        json!({ "token": server.token(Role::Customer, "c1") })
    ))
    .await;
    two.send(format!(
        "40{}",
        json!({ "token": server.token(Role::Customer, "c2") })
    ))
    .await;
    let (stays, goes) = (one.next().await, two.next().await);
    assert!(
        stays.is_some() != goes.is_some(),
        "one is let in, the other closed without an answer"
    );
    assert_eq!(server.realtime().local_sessions().len(), 1);
}

#[tokio::test]
async fn handshakes_per_second() {
    let server = limited(|l| l.handshakes_per_s = 2).await;
    let mut answers = Vec::new();
    for _ in 0..6 {
        answers.push(open_polling(&server, "").await);
    }
    assert_eq!(answers[0].status, 200);
    let refused = answers
        .iter()
        .find(|answer| answer.status == 503)
        .expect("none was refused");
    assert!(refused.body.contains("too_many_handshakes") && refused.head.contains("retry-after: "));
}

#[tokio::test]
async fn refused_connects_close_the_transport() {
    let server = limited(|l| l.unauthenticated = Duration::from_secs(600)).await;
    let mut line = Line::open(&server).await;
    for _ in 0..3 {
        line.send(r#"40{"token":"none"}"#).await;
        assert_eq!(line.until("44").await, r#"44{"message":"unauthorized"}"#);
    }
    assert!(line.rest().await.is_empty());
}

#[tokio::test]
async fn refused_connects_close_polling_too() {
    let server = limited(|l| l.unauthenticated = Duration::from_secs(600)).await;
    let opened = open_polling(&server, "").await.body;
    let path = format!(
        "/socket.io/?EIO=4&transport=polling&sid={}",
        opened.split('"').nth(3).unwrap()
    );
    let post = format!("POST {path}");
    for _ in 0..3 {
        let answer = http(
            &server,
            &post,
            "Content-Type: text/plain\r\n",
            r#"40{"token":"none"}"#,
        )
        .await;
        assert_eq!(answer.status, 200);
        while !http(&server, &format!("GET {path}"), "", "")
            .await
            .body
            .contains("44{")
        {}
    }
    let closed = async {
        // A pong is always welcome, as long as there is somebody to take it.
        while http(&server, &post, "Content-Type: text/plain\r\n", "3")
            .await
            .status
            == 200
        {}
    };
    within("the transport to be closed", closed).await;
}

#[tokio::test]
async fn who_does_not_authenticate_is_closed() {
    let server = limited(|l| l.unauthenticated = Duration::from_millis(100)).await;
    let mut line = Line::open(&server).await;
    line.rest().await;
}

#[tokio::test]
async fn what_is_sent_before_authentication_is_bounded() {
    let server = limited(|l| l.unauthenticated = Duration::from_secs(600)).await;
    let mut line = Line::open(&server).await;
    let unknown = format!("40/{},", "n".repeat(60_000));
    for _ in 0..5 {
        line.try_send(unknown.clone()).await;
    }
    line.rest().await;
}

#[tokio::test]
async fn a_message_too_large_ends_the_connection() {
    let server = limited(|l| l.message_bytes = 2_048).await;
    let mut line = Line::connect(&server, Role::Customer, "c1", json!({})).await;
    line.send(format!(
        r#"421["leave_order_room","{}"]"#,
        "x".repeat(1_900)
    ))
    .await;
    line.until("431").await;
    line.try_send(format!(r#"42["leave_order_room","{}"]"#, "x".repeat(2_100)))
        .await;
    line.rest().await;
    let opened = open_polling(&server, "").await.body;
    let sid = opened.split('"').nth(3).unwrap();
    let path = format!("POST /socket.io/?EIO=4&transport=polling&sid={sid}");
    let answer = http(
        &server,
        &path,
        "Content-Type: text/plain\r\n",
        &"4".repeat(2_100),
    )
    .await;
    assert!(
        answer.status == 413 || answer.status == 400,
        "{}",
        answer.head
    );
    eventually("the session to end", || {
        server.realtime().local_sessions().is_empty()
    })
    .await;
}

#[tokio::test]
async fn binary_attachments_are_refused() {
    let server = limited(|_| {}).await;
    let mut line = Line::connect(&server, Role::Customer, "c1", json!({})).await;
    line.send(r#"451-["leave_order_room",{"_placeholder":true,"num":0}]"#)
        .await;
    line.rest().await;
    eventually("the session to end", || {
        server.realtime().local_sessions().is_empty()
    })
    .await;
}

#[tokio::test]
async fn events_beyond_the_rate_are_refused_and_then_the_transport_is_closed() {
    let server = limited(|l| {
        l.inbound_per_s = 1;
        l.inbound_burst = 3;
    })
    .await;
    let mut line = Line::connect(&server, Role::Customer, "c1", json!({})).await;
    for i in 0..50 {
        if !line
            .try_send(format!(r#"42{i}["leave_order_room","o{i}"]"#))
            .await
        {
            break;
        }
    }
    let answers = line.rest().await;
    let good = answers
        .iter()
        .filter(|answer| answer.contains(r#""status":"ok""#))
        .count();
    let refused = answers
        .iter()
        .filter(|answer| answer.contains("rate_limited"))
        .count();
    assert!(good <= 4 && refused <= 4, "{answers:?}");
    eventually("the session to end", || {
        server.realtime().local_sessions().is_empty()
    })
    .await;
}

#[tokio::test]
async fn a_token_too_long_is_none() {
    let server = limited(|l| l.token_bytes = 20).await;
    let refused = server
        .client_builder(Role::Customer, "c1")
        .connect()
        .await
        .unwrap_err();
    assert!(
        matches!(&refused, ConnectError::Refused { message, .. } if message == "unauthorized"),
        "{refused}"
    );
}

#[tokio::test]
async fn origins_on_polling_and_on_websocket() {
    let server =
        TestServer::start(|builder| builder.allowed_origins(["https://app.example"])).await;
    for origin in [
        "https://evil.example",
        "null",
        "https://app.example.evil",
        "http://app.example",
        "",
    ] {
        let answer = open_polling(&server, &format!("Origin: {origin}\r\n")).await;
        assert_eq!(answer.status, 403, "{origin}");
        assert!(answer.body.contains("origin_not_allowed"));
        assert_eq!(
            Line::open_with(&server, &[("origin", origin)]).await.err(),
            Some(403),
            "{origin}"
        );
    }
    let answer = open_polling(&server, "Origin: https://app.example\r\n").await;
    assert_eq!(answer.status, 200);
    assert!(
        answer
            .head
            .contains("access-control-allow-origin: https://app.example"),
        "{}",
        answer.head
    );
    assert!(
        Line::open_with(&server, &[("origin", "https://app.example")])
            .await
            .is_ok()
    );
    assert_eq!(open_polling(&server, "").await.status, 200);
}

#[tokio::test]
async fn polling_can_be_switched_off() {
    let server = TestServer::start(|builder| builder.transports(Transports::WebSocketOnly)).await;
    assert_eq!(open_polling(&server, "").await.status, 400);
    let refused = server
        .client_builder(Role::Customer, "c1")
        .transport(Transport::Polling)
        .connect()
        .await;
    assert!(refused.is_err());
    let (_client, mut updates) = server.client(Role::Customer, "c1").await;
    tick(server.realtime(), user("c1"), 1).await;
    assert_eq!(ticks(&mut updates, 1).await, [1]);
}

#[tokio::test]
async fn a_failed_upgrade_over_a_kept_connection_harms_nobody_behind_the_same_proxy() {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    let server = limited(|_| {}).await;
    let mut proxy = tokio::net::TcpStream::connect(server.address())
        .await
        .unwrap();
    proxy
        .write_all(b"GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\nHost: x\r\n\r\n")
        .await
        .unwrap();
    let mut answer = [0; 1_024];
    let read = proxy.read(&mut answer).await.unwrap();
    assert!(
        answer[..read].starts_with(b"HTTP/1.1 4"),
        "{}",
        String::from_utf8_lossy(&answer[..read])
    );
    // The next client over the same connection is a good one, and its window must be given back to
    // it.
    let url = format!(
        "ws://{}/socket.io/?EIO=4&transport=websocket",
        server.address()
    );
    let (ws, _) = tokio_tungstenite::client_async(url, proxy).await.unwrap();
    let mut line = Line::of(ws);
    line.send(format!(
        "40{}",
        json!({ "token": server.token(Role::Customer, "c1") })
    ))
    .await;
    line.until("42[\"rt:ready\"").await;
    for i in 0..1_000 {
        tick(server.realtime(), user("c1"), i).await;
    }
    for _ in 0..1_000 {
        line.until("42[\"tick\"").await;
    }
}

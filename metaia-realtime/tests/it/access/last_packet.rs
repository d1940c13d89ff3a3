//! `rt:end`: the last packet of a session that the server ends says why.

use std::time::{Duration, Instant};

use metaia_realtime::{
    Role,
    client::{Transport, Update},
    testing::{TestServer, within},
};
use serde_json::json;

use crate::support::{
    limits, next, on_each_transport, poller::Poller, raw_client::RawClient, raw_socket::KICKED,
    ready, tick, user,
};

on_each_transport! {
    #[tokio::test]
    a_session_whose_token_expires_is_told,
    nothing_is_handed_over_after_it,
    our_client_shows_the_code;
    // A client that polls is told if its poll waits, or comes within 200 ms.
    not over polling: a_session_over_the_cap_is_told,
    a_drain_tells_all_sessions_and_waits_for_none,
}

/// A client may have to wait this long for the end of its transport, and a busy machine somewhat
/// longer.
const CLOSE_TIMEOUT: Duration = Duration::from_millis(250 + 750);

/// Checks that the session ends with `rt:end` and this code, that nothing follows it, and that the
/// transport closes soon after it.
async fn check_ends(mut socket: RawClient<'_>, code: &str) {
    socket
        .until(&format!(r#"42["rt:end",{{"code":"{code}"}}]"#))
        .await;
    let told = Instant::now();
    assert!(socket.rest().await.is_empty(), "{code}");
    assert!(told.elapsed() < CLOSE_TIMEOUT, "{:?}", told.elapsed());
}

async fn socket(server: &TestServer, transport: Transport) -> RawClient<'_> {
    let who = (Role::Customer, "c1");
    RawClient::connect_until_ready(server, transport, who, json!({})).await
}

async fn a_session_over_the_cap_is_told(transport: Transport) {
    let limits = limits(|limits| limits.sessions_per_user = 1);
    let server = TestServer::start(|builder| builder.limits(limits)).await;
    let first = socket(&server, transport).await;
    let _second = socket(&server, transport).await;
    check_ends(first, "too_many_sessions").await;
}

async fn a_session_whose_token_expires_is_told(transport: Transport) {
    let server = TestServer::start(|builder| builder).await;
    let token = server.token_for(Role::Customer, "c1", Duration::from_secs(2));
    let mut socket = RawClient::open(&server, transport).await;
    socket
        .send(format!("40{}", json!({ "token": token })))
        .await;
    check_ends(socket, "token_expired").await;
}

async fn a_drain_tells_all_sessions_and_waits_for_none(transport: Transport) {
    let server = TestServer::start(|builder| builder).await;
    let first = socket(&server, transport).await;
    let second = socket(&server, transport).await;
    let began = Instant::now();
    let drain = server.realtime().drain(Duration::from_secs(10));
    let (elapsed, (), ()) = tokio::join!(
        async {
            drain.await;
            began.elapsed()
        },
        check_ends(first, "draining"),
        check_ends(second, "draining"),
    );
    assert!(elapsed < Duration::from_secs(1), "{elapsed:?}");
}

#[tokio::test]
async fn a_client_that_sends_more_bytes_than_its_events_allow_is_told() {
    let limits = limits(|limits| limits.message_bytes = 2_048);
    let server = TestServer::start(|builder| builder.limits(limits)).await;
    let mut socket = socket(&server, Transport::WebSocket).await;
    // The engine repeats the name in its refusal.
    let unknown = format!("40/{},", "n".repeat(2_000));
    let told = within("rt:end", async {
        loop {
            socket.try_send(unknown.clone()).await;
            let packet = socket.next().await.unwrap();
            if packet.starts_with(r#"42["rt:end""#) {
                return packet;
            }
        }
    });
    assert_eq!(told.await, r#"42["rt:end",{"code":"rate_limited"}]"#);
    socket.rest().await;
    assert_eq!(server.realtime().stats().ends["rate_limited"], 1);
}

async fn nothing_is_handed_over_after_it(transport: Transport) {
    let server = TestServer::start(|builder| builder).await;
    let mut socket = socket(&server, transport).await;
    let realtime = server.realtime();
    let c1 = "c1".parse().unwrap();
    realtime.disconnect_user(&c1).await.unwrap();
    for n in 0..200 {
        tick(realtime, user("c1"), n).await;
    }
    assert_eq!(socket.rest().await, KICKED);
}

async fn our_client_shows_the_code(transport: Transport) {
    let server = TestServer::start(|builder| builder).await;
    let builder = server
        .client_builder(Role::Customer, "c1")
        .transport(transport);
    let (_client, mut updates) = builder.connect().await.unwrap();
    ready(&mut updates).await;
    let realtime = server.realtime();
    realtime
        .disconnect_user(&"c1".parse().unwrap())
        .await
        .unwrap();
    let code = next(&mut updates, "rt:end", |update| match update {
        Update::End(end) => Some(end.code),
        Update::Disconnected(reason) => panic!("it was told nothing: {reason}"),
        _ => None,
    });
    assert_eq!(code.await, "kicked");
}

#[tokio::test]
async fn a_polling_client_gets_it_with_the_poll_that_waits() {
    let server = TestServer::start(|builder| builder).await;
    let phone = Poller::connect_until_ready(&server, Role::Customer, "c1").await;
    let realtime = server.realtime();
    let disconnect = async { realtime.disconnect_user(&"c1".parse().unwrap()).await };
    let (answer, disconnected) = tokio::join!(phone.get(&server), disconnect);
    disconnected.unwrap();
    assert!(answer.body.contains(KICKED[0]), "{}", answer.body);
    let mut rest = answer.body;
    within("the end of the session", async {
        loop {
            let answer = phone.get(&server).await;
            if answer.status != 200 {
                return;
            }
            rest.push_str(&answer.body);
        }
    })
    .await;
    assert!(rest.contains("41"), "{rest}");
}

/// The packets that wait for the next poll, `rt:end` and DISCONNECT are more than a poll may carry.
#[tokio::test]
async fn a_kick_puts_no_more_packets_into_a_poll_than_a_client_takes() {
    /// python-engineio takes no more.
    const MAX_PACKETS: usize = 16;
    let server = TestServer::start(|builder| builder).await;
    let phone = Poller::connect_until_ready(&server, Role::Customer, "c1").await;
    let realtime = server.realtime();
    for n in 0..40 {
        tick(realtime, user("c1"), n).await;
    }
    let c1 = "c1".parse().unwrap();
    realtime.disconnect_user(&c1).await.unwrap();
    let mut received = Vec::new();
    within("the end of the session", async {
        loop {
            let answer = phone.get(&server).await;
            if answer.status != 200 {
                return;
            }
            let packets: Vec<_> = answer.body.split('\u{1e}').map(str::to_owned).collect();
            assert!(packets.len() <= MAX_PACKETS, "{packets:?}");
            received.extend(packets);
        }
    })
    .await;
    assert!(received.iter().any(|packet| packet == "41"), "{received:?}");
}

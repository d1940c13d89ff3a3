//! Authenticated clients that abuse the protocol. They connect to unknown namespaces: the engine
//! repeats the name in its refusal, and does not ask the library.

use std::time::Duration;

use metaia_realtime::{
    Role,
    testing::{TestServer, eventually, within},
};
use serde_json::json;
use tokio::net::TcpStream;

use crate::support::{captured_log::CapturedLog, limits, poller::Poller, raw_socket::RawSocket};

/// Length of the namespace's name, in bytes.
const NAME: usize = 60_000;
const RATE_LIMITED: &str = "User disconnected: c1 (customer) rate_limited";

/// Returns a CONNECT to an unknown namespace.
fn connect_to_unknown() -> String {
    format!("40/{},", "n".repeat(NAME))
}

#[tokio::test]
async fn a_client_that_does_not_read_is_not_read_from_for_ever() {
    let limits = limits(|limits| limits.inbound_burst = 10_000);
    let server = TestServer::start(|builder| builder.limits(limits)).await;
    let mut socket = RawSocket::connect_until_ready(&server, Role::Customer, "c1", json!({})).await;
    let mut sent = 0;
    // Both kernels buffer some megabytes for a connection. The engine's queue alone would take 60
    // MB.
    while tokio::time::timeout(Duration::from_secs(1), socket.send(connect_to_unknown()))
        .await
        .is_ok()
    {
        sent += NAME;
        assert!(
            sent < 24 << 20,
            "{sent} bytes were read from a client that does not read"
        );
    }
}

#[tokio::test]
async fn a_client_that_sends_more_bytes_than_its_events_allow_is_disconnected() {
    let limits = limits(|limits| {
        limits.message_bytes = 2_048;
        limits.inbound_per_s = 1;
        limits.inbound_burst = 1;
    });
    let log = CapturedLog::start();
    let server = TestServer::start(|builder| builder.limits(limits)).await;
    let mut socket = RawSocket::connect_until_ready(&server, Role::Customer, "c1", json!({})).await;
    let unknown = format!("40/{},", "n".repeat(1_000));
    while socket.try_send(unknown.clone()).await && socket.next().await.is_some() {}
    eventually("the end of the session", || log.contains(RATE_LIMITED)).await;
}

#[tokio::test]
async fn a_transport_parameter_that_only_the_engine_understands_is_limited_too() {
    let limits = limits(|limits| limits.unauthenticated = Duration::from_secs(600));
    let server = TestServer::start(|builder| builder.limits(limits)).await;
    let tcp = TcpStream::connect(server.address()).await.unwrap();
    let url = format!(
        "ws://{}/socket.io/?EIO=4&transport=websocket=",
        server.address()
    );
    let mut socket = RawSocket::new(tokio_tungstenite::client_async(url, tcp).await.unwrap().0);
    for _ in 0..5 {
        socket.try_send(connect_to_unknown()).await;
    }
    socket.rest().await;
    let phone = Poller::open(&server).await.with_transport_name("polling=");
    for _ in 0..5 {
        phone.post(&server, &connect_to_unknown()).await;
    }
    within("the end of the session", async {
        while phone.post(&server, "3").await.status == 200 {}
    })
    .await;
}

#[tokio::test]
async fn a_client_that_posts_and_never_polls_is_disconnected() {
    let log = CapturedLog::start();
    let server = TestServer::start(|builder| builder).await;
    let phone = Poller::connect_until_ready(&server, Role::Customer, "c1").await;
    for _ in 0..5 {
        phone.post(&server, &connect_to_unknown()).await;
    }
    eventually("the end of the session", || log.contains(RATE_LIMITED)).await;
}

#[tokio::test]
async fn a_client_that_leaves_and_keeps_polling_loses_its_transport() {
    let short = limits(|limits| limits.unauthenticated = Duration::from_millis(500));
    let server = TestServer::start(|builder| builder.limits(short)).await;
    let phone = Poller::connect_until_ready(&server, Role::Customer, "c1").await;
    assert_eq!(phone.post(&server, "41").await.status, 200);
    within("the end of the session", async {
        while phone.post(&server, "3").await.status == 200 {}
    })
    .await;
    let answer = phone.get(&server).await;
    assert_eq!(
        (answer.status, answer.body.contains("Session ID unknown")),
        (400, true)
    );
}

#[tokio::test]
async fn an_unauthenticated_client_that_posts_is_disconnected_too() {
    let limits = limits(|limits| limits.unauthenticated = Duration::from_secs(600));
    let server = TestServer::start(|builder| builder.limits(limits)).await;
    let phone = Poller::open(&server).await;
    for _ in 0..5 {
        phone.post(&server, &connect_to_unknown()).await;
        phone.get(&server).await;
    }
    within("the end of the session", async {
        while phone.post(&server, "3").await.status == 200 {}
    })
    .await;
}

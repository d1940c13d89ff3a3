//! Authenticated clients that send what they like: the engine repeats unknown namespaces to them
//! without asking anybody.

use std::time::Duration;

use metaia_realtime::{
    Role,
    testing::{TestServer, eventually, within},
};
use serde_json::json;
use tokio::net::TcpStream;

use crate::{
    limits,
    support::{captured_log::Logs, poller::Poller, raw_socket::Line},
};

const NAME: usize = 60_000;
const RATE_LIMITED: &str = "User disconnected: c1 (customer) rate_limited";

fn unknown() -> String {
    format!("40/{},", "n".repeat(NAME))
}

#[tokio::test]
async fn who_does_not_read_is_not_read_for_ever() {
    let limits = limits(|l| l.inbound_burst = 10_000);
    let server = TestServer::start(|builder| builder.limits(limits)).await;
    let mut line = Line::connect(&server, Role::Customer, "c1", json!({})).await;
    let mut sent = 0;
    // What both kernels take for a connection is some megabytes; the engine's queue alone would
    // take sixty.
    while tokio::time::timeout(Duration::from_secs(1), line.send(unknown()))
        .await
        .is_ok()
    {
        sent += NAME;
        assert!(
            sent < 24 << 20,
            "{sent} bytes were taken from a client that does not read"
        );
    }
}

#[tokio::test]
async fn who_sends_more_bytes_than_its_events_can_have_is_ended() {
    let limits = limits(|l| {
        l.message_bytes = 2_048;
        (l.inbound_per_s, l.inbound_burst) = (1, 1);
    });
    let (logs, server) = (
        Logs::listen(),
        TestServer::start(|builder| builder.limits(limits)).await,
    );
    let mut line = Line::connect(&server, Role::Customer, "c1", json!({})).await;
    let unknown = format!("40/{},", "n".repeat(1_000));
    while line.try_send(unknown.clone()).await && line.next().await.is_some() {}
    eventually("its end", || logs.say(RATE_LIMITED)).await;
}

#[tokio::test]
async fn who_writes_its_transport_in_a_way_that_the_engine_alone_understands_is_watched_too() {
    let limits = limits(|l| l.unauthenticated = Duration::from_secs(600));
    let server = TestServer::start(|builder| builder.limits(limits)).await;
    let tcp = TcpStream::connect(server.address()).await.unwrap();
    let url = format!(
        "ws://{}/socket.io/?EIO=4&transport=websocket=",
        server.address()
    );
    let mut line = Line::of(tokio_tungstenite::client_async(url, tcp).await.unwrap().0);
    for _ in 0..5 {
        line.try_send(unknown()).await;
    }
    line.rest().await;
    let phone = Poller::open(&server).await.of_transport("polling=");
    for _ in 0..5 {
        phone.post(&server, &unknown()).await;
    }
    within("its end", async {
        while phone.post(&server, "3").await.status == 200 {}
    })
    .await;
}

#[tokio::test]
async fn who_posts_and_never_asks_is_ended() {
    let (logs, server) = (Logs::listen(), TestServer::start(|builder| builder).await);
    let phone = Poller::connect(&server, Role::Customer, "c1").await;
    for _ in 0..5 {
        phone.post(&server, &unknown()).await;
    }
    eventually("its end", || logs.say(RATE_LIMITED)).await;
}

#[tokio::test]
async fn who_leaves_its_session_and_keeps_polling_is_known_no_more() {
    let server = TestServer::start(|builder| builder).await;
    let phone = Poller::connect(&server, Role::Customer, "c1").await;
    assert_eq!(phone.post(&server, "41").await.status, 200);
    within("its end", async {
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
async fn who_posts_and_is_nobody_is_ended_too() {
    let limits = limits(|l| l.unauthenticated = Duration::from_secs(600));
    let server = TestServer::start(|builder| builder.limits(limits)).await;
    let phone = Poller::open(&server).await;
    for _ in 0..5 {
        phone.post(&server, &unknown()).await;
        phone.get(&server).await;
    }
    within("its end", async {
        while phone.post(&server, "3").await.status == 200 {}
    })
    .await;
}

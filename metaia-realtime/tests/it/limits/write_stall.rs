//! Clients that stop reading, over every transport: their sessions end with `slow_consumer`.

use std::time::Duration;

use metaia_realtime::{
    Census, Role,
    testing::{TestServer, eventually},
};
use serde_json::json;

use crate::support::{
    captured_log::CapturedLog, descriptor, limits, poller::Poller, raw_socket::RawSocket,
};

const SLOW: &str = "User disconnected: c1 (customer) slow_consumer";

/// Starts a server that ends a session after a write stall of 1 s.
async fn server() -> TestServer {
    server_with_stall(Duration::from_secs(1)).await
}

async fn server_with_stall(write_stall: Duration) -> TestServer {
    let limits = limits(|limits| limits.write_stall = write_stall);
    TestServer::start(|builder| builder.limits(limits)).await
}

/// Publishes more than the kernels and the engine buffer for one client.
async fn flood(server: &TestServer) {
    let text = "x".repeat(10_000);
    for i in 0..100 {
        let tick = ("tick", json!({ "i": i, "text": text }));
        server
            .realtime()
            .send_to_user(&"c1".parse().unwrap(), tick)
            .await
            .unwrap();
    }
}

async fn ends_as_slow(server: &TestServer, log: &CapturedLog) {
    eventually("the end of the session", || {
        server.realtime().census() == Census::default()
    })
    .await;
    assert!(log.contains(SLOW));
}

#[tokio::test]
async fn a_client_that_does_not_read_its_websocket_is_disconnected() {
    let log = CapturedLog::start();
    let server = server().await;
    let frozen = RawSocket::connect_until_ready(&server, Role::Customer, "c1", json!({})).await;
    let descriptor = descriptor::socket_number(server.address(), frozen.local_address());
    assert!(descriptor::is_open(descriptor));
    flood(&server).await;
    ends_as_slow(&server, &log).await;
    eventually("its descriptor to be closed", || {
        !descriptor::is_open(descriptor)
    })
    .await;
}

#[tokio::test]
async fn a_client_that_reads_slowly_stays_connected() {
    let stall = Duration::from_secs(2);
    let log = CapturedLog::start();
    let server = server_with_stall(stall).await;
    let mut slow = RawSocket::open_with_small_buffer(&server).await;
    let auth = json!({ "token": server.token(Role::Customer, "c1") });
    slow.send(format!("40{auth}")).await;
    slow.until("42[\"rt:ready\"").await;
    // Three times the write stall after which a client that reads nothing is disconnected.
    let mut pace = tokio::time::interval(stall / 5);
    let reading = async {
        for _ in 0..15 {
            pace.tick().await;
            slow.until("42[\"tick\"").await;
        }
    };
    tokio::join!(flood(&server), reading);
    assert_eq!(server.realtime().local_sessions().len(), 1);
    assert!(!log.contains(SLOW));
}

#[tokio::test]
async fn a_client_that_does_not_read_the_answer_to_its_poll_is_disconnected() {
    let log = CapturedLog::start();
    let server = server().await;
    let phone = Poller::connect_until_ready(&server, Role::Customer, "c1").await;
    flood(&server).await;
    let frozen = phone.get_without_reading().await;
    let descriptor = descriptor::socket_number(server.address(), frozen.local_addr().unwrap());
    ends_as_slow(&server, &log).await;
    eventually("its descriptor to be closed", || {
        !descriptor::is_open(descriptor)
    })
    .await;
}

#[tokio::test]
async fn a_client_that_upgraded_and_does_not_read_is_disconnected() {
    let log = CapturedLog::start();
    let server = server().await;
    let phone = Poller::connect_until_ready(&server, Role::Customer, "c1").await;
    let _frozen = phone.upgrade(&server).await;
    flood(&server).await;
    ends_as_slow(&server, &log).await;
}

#[tokio::test]
async fn a_poll_that_is_cut_off_ends_its_session() {
    let log = CapturedLog::start();
    let server = TestServer::start(|builder| builder).await;
    let phone = Poller::connect_until_ready(&server, Role::Customer, "c1").await;
    flood(&server).await;
    drop(phone.get_without_reading().await);
    eventually("the end of the session", || {
        server.realtime().census() == Census::default()
    })
    .await;
    assert!(log.contains("User disconnected: c1 (customer) transport_lost"));
}

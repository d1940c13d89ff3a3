//! Clients that stop reading, over every transport: their sessions end as slow consumers.

use std::time::Duration;

use metaia_realtime::{
    Census, Role,
    testing::{TestServer, eventually},
};
use serde_json::json;

use crate::{
    limits,
    support::{captured_log::Logs, descriptor, poller::Poller, raw_socket::Line},
};

const SLOW: &str = "User disconnected: c1 (customer) slow_consumer";

async fn impatient() -> TestServer {
    patient_for(Duration::from_secs(1)).await
}

async fn patient_for(write_stall: Duration) -> TestServer {
    let limits = limits(|l| l.write_stall = write_stall);
    TestServer::start(|builder| builder.limits(limits)).await
}

/// More than the kernels and the engine take for one client.
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

async fn ends_as_slow(server: &TestServer, logs: &Logs) {
    eventually("its end", || {
        server.realtime().census() == Census::default()
    })
    .await;
    assert!(logs.say(SLOW));
}

#[tokio::test]
async fn who_does_not_read_its_websocket_is_ended() {
    let (logs, server) = (Logs::listen(), impatient().await);
    let frozen = Line::connect(&server, Role::Customer, "c1", json!({})).await;
    let descriptor = descriptor::of(server.address(), frozen.address());
    assert!(descriptor::is_open(descriptor));
    flood(&server).await;
    ends_as_slow(&server, &logs).await;
    eventually("its descriptor to be free", || {
        !descriptor::is_open(descriptor)
    })
    .await;
}

#[tokio::test]
async fn who_reads_a_little_at_a_time_is_kept() {
    let stall = Duration::from_secs(2);
    let (logs, server) = (Logs::listen(), patient_for(stall).await);
    let mut slow = Line::open_narrow(&server).await;
    slow.send(format!(
        "40{}",
        json!({ "token": server.token(Role::Customer, "c1") })
    ))
    .await;
    slow.until("42[\"rt:ready\"").await;
    // Three times as long as somebody who takes nothing would be given.
    let mut pace = tokio::time::interval(stall / 5);
    let reading = async {
        for _ in 0..15 {
            pace.tick().await;
            slow.until("42[\"tick\"").await;
        }
    };
    tokio::join!(flood(&server), reading);
    assert_eq!(server.realtime().local_sessions().len(), 1);
    assert!(!logs.say(SLOW));
}

#[tokio::test]
async fn who_does_not_read_the_answer_to_its_poll_is_ended() {
    let (logs, server) = (Logs::listen(), impatient().await);
    let phone = Poller::connect(&server, Role::Customer, "c1").await;
    flood(&server).await;
    let frozen = phone.ask_without_reading().await;
    let descriptor = descriptor::of(server.address(), frozen.local_addr().unwrap());
    ends_as_slow(&server, &logs).await;
    eventually("its descriptor to be free", || {
        !descriptor::is_open(descriptor)
    })
    .await;
}

#[tokio::test]
async fn who_upgraded_and_does_not_read_is_ended() {
    let (logs, server) = (Logs::listen(), impatient().await);
    let phone = Poller::connect(&server, Role::Customer, "c1").await;
    let _frozen = phone.upgrade(&server).await;
    flood(&server).await;
    ends_as_slow(&server, &logs).await;
}

#[tokio::test]
async fn an_answer_that_is_cut_off_ends_its_session() {
    let (logs, server) = (Logs::listen(), TestServer::start(|builder| builder).await);
    let phone = Poller::connect(&server, Role::Customer, "c1").await;
    flood(&server).await;
    drop(phone.ask_without_reading().await);
    eventually("its end", || {
        server.realtime().census() == Census::default()
    })
    .await;
    assert!(logs.say("User disconnected: c1 (customer) transport_lost"));
}

//! The upgrade from polling to WebSocket: until the client has switched, the session polls.

use std::time::Duration;

use metaia_realtime::{
    Role,
    testing::{TestServer, within},
};
use serde_json::json;

use crate::support::{
    captured_log::CapturedLog,
    limits,
    poller::Poller,
    raw_socket::{RawSocket, http},
    tick, user,
};

async fn server() -> TestServer {
    TestServer::start(|builder| builder).await
}

/// Checks that the server ends a WebSocket long before the 10 s that an upgrade may take.
async fn ends_soon(websocket: &mut RawSocket) {
    let end = tokio::time::timeout(Duration::from_secs(4), websocket.rest());
    assert_eq!(end.await.expect("an end"), Vec::<String>::new());
}

/// Checks that the session polls as if nothing had been.
async fn check_polls(server: &TestServer, poller: &Poller, number: u64) {
    tick(server.realtime(), user("c1"), number).await;
    let expected = format!("42[\"tick\",{{\"i\":{number},");
    poller.receive_until(server, &expected).await;
    let call = format!(r#"427["leave_order_room","o{number}"]"#);
    assert_eq!(poller.post(server, &call).await.status, 200);
    poller.receive_until(server, "437").await;
}

#[tokio::test]
async fn a_websocket_that_says_nothing_changes_nothing() {
    let server = server().await;
    let poller = Poller::connect_until_ready(&server, Role::Customer, "c1").await;
    let websocket = poller.open_websocket().await;
    check_polls(&server, &poller, 1).await;
    // A poll waits as long as there is nothing for it.
    let mut waiting = Box::pin(poller.get(&server));
    let waited = tokio::time::timeout(Duration::from_millis(500), &mut waiting).await;
    assert!(waited.is_err());
    tick(server.realtime(), user("c1"), 7).await;
    assert!(waiting.await.body.contains("tick"));
    drop(websocket);
    check_polls(&server, &poller, 2).await;
}

#[tokio::test]
async fn an_upgrade_that_ends_after_the_probe_changes_nothing() {
    let server = server().await;
    let poller = Poller::connect_until_ready(&server, Role::Customer, "c1").await;
    for wrong in [
        None,
        Some("4"),
        Some("2probe"),
        Some("2"),
        Some("42[\"x\"]"),
        Some("1"),
    ] {
        let mut websocket = poller.open_websocket().await;
        websocket.send("2probe").await;
        websocket.until("3probe").await;
        let noop = poller.get(&server).await.body;
        assert_eq!(noop, "6", "a poll is answered during the probe");
        if let Some(wrong) = wrong {
            websocket.send(wrong).await;
            ends_soon(&mut websocket).await;
        }
        drop(websocket);
        check_polls(&server, &poller, 1).await;
    }
    let mut websocket = poller.upgrade(&server).await;
    tick(server.realtime(), user("c1"), 9).await;
    websocket.until("42[\"tick\"").await;
}

#[tokio::test]
async fn a_wrong_first_packet_ends_only_the_websocket() {
    let server = server().await;
    let poller = Poller::connect_until_ready(&server, Role::Customer, "c1").await;
    for wrong in ["5", "3probe", "2", "40", ""] {
        let mut websocket = poller.open_websocket().await;
        websocket.send(wrong).await;
        ends_soon(&mut websocket).await;
        check_polls(&server, &poller, 1).await;
    }
}

#[tokio::test]
async fn what_comes_during_the_probe_is_polled_or_comes_over_the_websocket() {
    let server = server().await;
    let poller = Poller::connect_until_ready(&server, Role::Customer, "c1").await;
    let mut websocket = poller.open_websocket().await;
    websocket.send("2probe").await;
    websocket.until("3probe").await;
    tick(server.realtime(), user("c1"), 1).await;
    poller.receive_until(&server, "42[\"tick\",{\"i\":1,").await;
    tick(server.realtime(), user("c1"), 2).await;
    // The client's events may come right behind its switch.
    websocket
        .send_at_once(&["5", r#"421["leave_order_room","o1"]"#])
        .await;
    let mut ticked = false;
    let mut answered = false;
    within("both", async {
        while !(ticked && answered) {
            let packet = websocket.next().await.unwrap();
            ticked |= packet.starts_with("42[\"tick\",{\"i\":2,");
            answered |= packet.starts_with("431");
            assert_ne!(packet, "3probe");
        }
    })
    .await;
}

/// Returns the number of a tick, if the packet is one.
fn tick_number(packet: &str) -> Option<u64> {
    let rest = packet.strip_prefix("42[\"tick\",{\"i\":")?;
    rest.split(',').next()?.parse().ok()
}

/// The engine keeps such a packet for the next poll, which does not come.
#[tokio::test]
async fn packets_that_do_not_fit_into_the_last_poll_come_over_the_websocket() {
    let server = server().await;
    for bytes in [20_000, 40_000, 60_000] {
        let poller = Poller::connect_until_ready(&server, Role::Customer, "c1").await;
        for i in 1..=5 {
            let data = json!({ "i": i, "x": "x".repeat(bytes) });
            let sent = server.realtime().send([user("c1")], ("tick", data));
            sent.await.unwrap();
        }
        let mut websocket = poller.open_websocket().await;
        websocket.send("2probe").await;
        websocket.until("3probe").await;
        let polled = poller.get(&server).await.body;
        let mut ticks: Vec<u64> = polled.split('\u{1e}').filter_map(tick_number).collect();
        websocket.send("5").await;
        within("every tick", async {
            while ticks.len() < 5 {
                ticks.extend(tick_number(&websocket.next().await.unwrap()));
            }
        })
        .await;
        assert_eq!(ticks, [1, 2, 3, 4, 5], "{bytes}");
    }
}

#[tokio::test]
async fn one_upgrade_at_a_time() {
    let server = server().await;
    let poller = Poller::connect_until_ready(&server, Role::Customer, "c1").await;
    let path = poller.websocket_path();
    let headers = "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
                   Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
    let first = poller.open_websocket().await;
    let second = http(&server, &format!("GET {path}"), headers, "").await;
    assert_eq!(second.status, 400);
    drop(first);
    check_polls(&server, &poller, 1).await;
    let mut websocket = poller.upgrade(&server).await;
    let third = http(&server, &format!("GET {path}"), headers, "").await;
    assert_eq!(third.status, 400);
    tick(server.realtime(), user("c1"), 2).await;
    websocket.until("42[\"tick\"").await;
}

#[tokio::test]
async fn a_probe_may_not_be_flooded() {
    let server = server().await;
    let poller = Poller::open(&server).await;
    let mut websocket = poller.open_websocket().await;
    websocket.send("2probe").await;
    let mut sent = 0;
    while sent < 100_000 && websocket.try_send_ping().await {
        sent += 1;
    }
    assert!(sent < 100_000, "closed after 4 KiB");
}

#[tokio::test]
async fn a_probe_does_not_delay_the_end_of_the_server() {
    let log = CapturedLog::start();
    let server = server().await;
    let poller = Poller::open(&server).await;
    let mut websocket = poller.open_websocket().await;
    websocket.send("2probe").await;
    websocket.until("3probe").await;
    server.stop().await;
    assert!(!log.contains("not every task ended in time"));
}

#[tokio::test]
async fn a_session_that_ends_ends_its_probe() {
    let server = server().await;
    let poller = Poller::connect_until_ready(&server, Role::Customer, "c1").await;
    let mut websocket = poller.open_websocket().await;
    websocket.send("2probe").await;
    websocket.until("3probe").await;
    poller.post(&server, "1").await;
    ends_soon(&mut websocket).await;
}

/// The answer to a ping that was polled must not count for a later one.
#[tokio::test]
async fn a_ping_that_was_polled_is_answered_before_the_next_one_is_sent() {
    let quick = limits(|limits| {
        limits.ping_interval = Duration::from_millis(300);
        limits.ping_timeout = Duration::from_secs(1);
    });
    let server = TestServer::start(|builder| builder.limits(quick)).await;
    for answers in [false, true] {
        let poller = Poller::open(&server).await;
        assert_eq!(poller.get(&server).await.body, "2");
        let mut websocket = poller.upgrade(&server).await;
        if answers {
            websocket.send("3").await;
            websocket.answer_a_ping().await;
        } else {
            // It answers every ping that comes.
            ends_soon(&mut websocket).await;
        }
    }
}

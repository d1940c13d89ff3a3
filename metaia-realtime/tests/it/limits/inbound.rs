//! Limits of what a session sends: size, kind and rate.

use metaia_realtime::{Role, testing::eventually};
use serde_json::json;

use super::server_with;
use crate::support::raw_socket::{RawSocket, http, open_polling};

#[tokio::test]
async fn a_message_too_large_ends_the_connection() {
    let server = server_with(|limits| limits.message_bytes = 2_048).await;
    let mut socket = RawSocket::connect_until_ready(&server, Role::Customer, "c1", json!({})).await;
    socket
        .send(format!(
            r#"421["leave_order_room","{}"]"#,
            "x".repeat(1_900)
        ))
        .await;
    socket.until("431").await;
    socket
        .try_send(format!(r#"42["leave_order_room","{}"]"#, "x".repeat(2_100)))
        .await;
    socket.rest().await;
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
async fn events_beyond_the_rate_are_refused_and_then_the_transport_is_closed() {
    let server = server_with(|limits| {
        limits.inbound_per_s = 1;
        limits.inbound_burst = 3;
    })
    .await;
    let mut socket = RawSocket::connect_until_ready(&server, Role::Customer, "c1", json!({})).await;
    let event = r#"421["leave_order_room","o1"]"#;
    let mut accepted = 0;
    loop {
        socket.send(event).await;
        let answer = socket.until("431").await;
        if answer.contains("rate_limited") {
            break;
        }
        assert!(answer.contains(r#""status":"ok""#), "{answer}");
        accepted += 1;
    }
    assert!(accepted >= 3, "the burst is accepted, not {accepted}");
    while socket.try_send(event.to_owned()).await {}
    socket.rest().await;
    eventually("the session to end for this reason", || {
        server.realtime().stats().ends["rate_limited"] == 1
    })
    .await;
    assert!(server.realtime().local_sessions().is_empty());
}

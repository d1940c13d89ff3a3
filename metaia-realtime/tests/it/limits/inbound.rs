//! Limits of what a session sends: size, kind and rate.

use std::time::{Duration, Instant};

use metaia_realtime::{
    Role,
    client::Transport,
    testing::{eventually, within},
};
use serde_json::json;

use super::server_with;
use crate::support::{
    on_each_transport,
    raw_client::RawClient,
    raw_socket::{RawSocket, http, open_polling},
};

on_each_transport! {
    #[tokio::test]
    events_beyond_the_rate_are_refused_and_the_session_stays;
    // A client that polls is told if its poll waits, or comes within 200 ms.
    not over polling: a_client_that_floods_for_five_seconds_is_told_and_disconnected,
}

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

async fn events_beyond_the_rate_are_refused_and_the_session_stays(transport: Transport) {
    let server = server_with(|limits| {
        limits.inbound_per_s = 1;
        limits.inbound_burst = 3;
    })
    .await;
    let mut socket =
        RawClient::connect_until_ready(&server, transport, (Role::Customer, "c1"), json!({})).await;
    for id in 0..2_000 {
        socket.send(format!(r#"42{id}["unknown",{{}}]"#)).await;
    }
    let mut refused = 0;
    for _ in 0..2_000 {
        let answer = socket.until("43").await;
        refused += usize::from(answer.contains("rate_limited"));
    }
    assert!((1_900..=1_997).contains(&refused), "{refused} are refused");
    assert_eq!(server.realtime().local_sessions().len(), 1);
}

async fn a_client_that_floods_for_five_seconds_is_told_and_disconnected(transport: Transport) {
    let server = server_with(|_| {}).await;
    let mut socket =
        RawClient::connect_until_ready(&server, transport, (Role::Customer, "c1"), json!({})).await;
    let began = Instant::now();
    let last = within("the end", async {
        let mut last = String::new();
        loop {
            socket.try_send(r#"421["unknown",{}]"#.to_owned()).await;
            match socket.next().await {
                Some(packet) => last = packet,
                None => return last,
            }
        }
    })
    .await;
    assert_eq!(last, r#"42["rt:end",{"code":"rate_limited"}]"#);
    assert!(began.elapsed() >= Duration::from_secs(5));
    eventually("the session to end for this reason", || {
        server.realtime().stats().ends["rate_limited"] == 1
    })
    .await;
    assert!(server.realtime().local_sessions().is_empty());
}

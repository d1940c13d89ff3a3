//! Limits for clients that are not authenticated.

use std::time::Duration;

use metaia_realtime::{Role, client::ConnectError, testing::within};

use super::server_with;
use crate::support::raw_socket::{RawSocket, http, open_polling};

#[tokio::test]
async fn refused_connects_close_the_transport() {
    let server = server_with(|limits| limits.unauthenticated = Duration::from_secs(600)).await;
    let mut socket = RawSocket::open(&server).await;
    for _ in 0..3 {
        socket.send(r#"40{"token":"none"}"#).await;
        assert_eq!(socket.until("44").await, r#"44{"message":"unauthorized"}"#);
    }
    assert!(socket.rest().await.is_empty());
}

#[tokio::test]
async fn refused_connects_close_polling_too() {
    let server = server_with(|limits| limits.unauthenticated = Duration::from_secs(600)).await;
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
        // The engine accepts a pong at any time while the transport exists.
        while http(&server, &post, "Content-Type: text/plain\r\n", "3")
            .await
            .status
            == 200
        {}
    };
    within("the transport to be closed", closed).await;
}

#[tokio::test]
async fn a_client_that_does_not_authenticate_is_closed() {
    let server = server_with(|limits| limits.unauthenticated = Duration::from_millis(100)).await;
    let mut socket = RawSocket::open(&server).await;
    socket.rest().await;
}

#[tokio::test]
async fn bytes_before_authentication_are_limited() {
    let server = server_with(|limits| limits.unauthenticated = Duration::from_secs(600)).await;
    let mut socket = RawSocket::open(&server).await;
    let unknown = format!("40/{},", "n".repeat(60_000));
    for _ in 0..5 {
        socket.try_send(unknown.clone()).await;
    }
    socket.rest().await;
}

#[tokio::test]
async fn a_token_over_the_limit_is_refused() {
    let server = server_with(|limits| limits.token_bytes = 20).await;
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

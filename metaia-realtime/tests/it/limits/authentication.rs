//! Limits for clients that are not authenticated.

use std::time::Duration;

use metaia_realtime::{
    Role,
    client::{ConnectError, Transport},
};

use super::server_with;
use crate::support::{on_each_transport, raw_client::RawClient};

on_each_transport! {
    #[tokio::test]
    refused_connects_close_the_transport,
    a_client_that_does_not_authenticate_is_closed,
    bytes_before_authentication_are_limited,
    a_token_over_the_limit_is_refused,
}

async fn refused_connects_close_the_transport(transport: Transport) {
    let server = server_with(|limits| limits.unauthenticated = Duration::from_secs(600)).await;
    let mut socket = RawClient::open(&server, transport).await;
    for _ in 0..3 {
        socket.send(r#"40{"token":"none"}"#).await;
        assert_eq!(socket.until("44").await, r#"44{"message":"unauthorized"}"#);
    }
    assert!(socket.rest().await.is_empty());
}

async fn a_client_that_does_not_authenticate_is_closed(transport: Transport) {
    let server = server_with(|limits| limits.unauthenticated = Duration::from_millis(100)).await;
    let mut socket = RawClient::open(&server, transport).await;
    socket.rest().await;
}

async fn bytes_before_authentication_are_limited(transport: Transport) {
    let server = server_with(|limits| limits.unauthenticated = Duration::from_secs(600)).await;
    let mut socket = RawClient::open(&server, transport).await;
    let unknown = format!("40/{},", "n".repeat(60_000));
    for _ in 0..5 {
        socket.try_send(unknown.clone()).await;
    }
    socket.rest().await;
}

async fn a_token_over_the_limit_is_refused(transport: Transport) {
    let server = server_with(|limits| limits.token_bytes = 20).await;
    let refused = server
        .client_builder(Role::Customer, "c1")
        .transport(transport)
        .connect()
        .await
        .unwrap_err();
    assert!(
        matches!(&refused, ConnectError::Refused { message, .. } if message == "unauthorized"),
        "{refused}"
    );
}

//! Times without an end: any `Duration` is a limit that works.

use std::time::Duration;

use metaia_realtime::{Role, client::Transport};
use serde_json::json;

use super::server_with;
use crate::support::{on_each_transport, raw_client::RawClient, tick, user};

async fn times_may_be_as_long_as_can_be(transport: Transport) {
    let server = server_with(|limits| {
        limits.unauthenticated = Duration::MAX;
        limits.ping_interval = Duration::MAX;
        limits.ping_timeout = Duration::MAX;
        limits.write_stall = Duration::MAX;
        limits.request_head = Duration::MAX;
        limits.request_body = Duration::MAX;
        limits.keep_alive = Duration::MAX;
    })
    .await;
    let who = (Role::Customer, "c1");
    let mut client = RawClient::connect_until_ready(&server, transport, who, json!({})).await;
    tick(server.realtime(), user("c1"), 1).await;
    client.until("42[\"tick\"").await;
    client.send("41").await;
    client.send_connect(who, json!({})).await;
    client.until("42[\"rt:ready\"").await;
}

on_each_transport!(
    #[tokio::test]
    times_may_be_as_long_as_can_be
);

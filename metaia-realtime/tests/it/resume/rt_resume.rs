//! Clients that cannot change their `auth`: they connect with `hold`, and then send the position in
//! `rt:resume`.

use metaia_realtime::{Role, client::Transport, testing::TestServer};
use serde_json::json;

use crate::support::{on_each_transport, order, policy::Policy, raw_client::RawClient, tick, user};

on_each_transport! {
    #[tokio::test]
    nothing_is_sent_before_rt_resume_and_everything_after_it,
    an_unusable_position_leads_to_a_reset_and_an_acknowledgement,
    a_held_client_that_sends_nothing_is_released;
    // A client that sends so much must poll meanwhile.
    not over polling: packets_that_wait_for_rt_resume_are_limited,
}

async fn held(server: &TestServer, transport: Transport) -> RawClient<'_> {
    let who = (Role::Customer, "c1");
    RawClient::connect(server, transport, who, json!({ "hold": "true" })).await
}

async fn nothing_is_sent_before_rt_resume_and_everything_after_it(transport: Transport) {
    let server = TestServer::start(|builder| builder.order_access(Policy::new())).await;
    let since = tick(server.realtime(), user("c1"), 0).await;
    tick(server.realtime(), order("o1"), 1).await;
    let mut socket = held(&server, transport).await;
    tick(server.realtime(), user("c1"), 2).await;
    socket.send(r#"421["leave_order_room","o9"]"#).await;
    socket.send(r#"422["rt:resume",7]"#).await;
    assert_eq!(
        socket.next().await.unwrap(),
        r#"432[{"status":"error","code":"malformed"}]"#
    );
    socket
        .send(format!(
            r#"423["rt:resume",{{"since":"{since}","orders":["o1"]}}]"#
        ))
        .await;
    assert!(
        socket
            .next()
            .await
            .unwrap()
            .starts_with(r#"42["tick",{"i":1"#)
    );
    assert!(
        socket
            .next()
            .await
            .unwrap()
            .starts_with(r#"42["tick",{"i":2"#)
    );
    assert_eq!(
        socket.next().await.unwrap(),
        r#"433[{"status":"ok","recovered":true,"replayed":2}]"#
    );
    assert!(
        socket
            .next()
            .await
            .unwrap()
            .contains(r#""rooms":["customer-room","user-c1","order-o1"]"#)
    );
    assert_eq!(
        socket.next().await.unwrap(),
        r#"431[{"status":"ok","room":"order-o9"}]"#,
        "an event before rt:resume waits for it"
    );
}

async fn an_unusable_position_leads_to_a_reset_and_an_acknowledgement(transport: Transport) {
    let server = TestServer::start(|builder| builder).await;
    let mut socket = held(&server, transport).await;
    socket
        .send(r#"421["rt:resume",{"since":"nonsense"}]"#)
        .await;
    assert!(
        socket
            .next()
            .await
            .unwrap()
            .starts_with(r#"42["rt:reset",{"reason":"malformed""#)
    );
    assert_eq!(
        socket.next().await.unwrap(),
        r#"431[{"status":"ok","recovered":false,"replayed":0}]"#
    );
    assert!(socket.next().await.unwrap().starts_with(r#"42["rt:ready""#));
}

async fn a_held_client_that_sends_nothing_is_released(transport: Transport) {
    let server = TestServer::start(|builder| builder).await;
    let mut socket = held(&server, transport).await;
    assert!(socket.next().await.unwrap().starts_with(r#"42["rt:ready""#));
    socket.send(r#"421["rt:resume",{}]"#).await;
    assert_eq!(
        socket.next().await.unwrap(),
        r#"431[{"status":"error","code":"not_held"}]"#
    );
}

async fn packets_that_wait_for_rt_resume_are_limited(transport: Transport) {
    let server = TestServer::start(|builder| builder).await;
    let mut socket = held(&server, transport).await;
    let big = "x".repeat(60_000);
    for _ in 0..20 {
        socket.send(format!(r#"42["big","{big}"]"#)).await;
    }
    socket.send(r#"421["rt:resume",{}]"#).await;
    let mut codes = Vec::new();
    while codes.len() < 20 {
        let packet = socket.until(r#"42["rt:error""#).await;
        codes.push(packet.contains("rate_limited"));
    }
    let refused = codes.iter().filter(|refused| **refused).count();
    assert_eq!(refused, 16, "four of them fill the 256 KiB that may wait");
}

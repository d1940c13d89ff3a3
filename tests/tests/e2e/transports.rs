//! The setting that selects the transports.

use metaia_tests::clients::driver::Driver;
use metaia_tests::clients::phone::Phone;
use metaia_tests::clients::polling::{HANDSHAKE, Polling};
use metaia_tests::fixtures::token::{Token, in_seconds, token};
use metaia_tests::server::{Server, Setup};
use serde_json::json;

#[tokio::test]
async fn polling_alone_carries_everything() {
    let server = Server::start().await;
    let polling = Polling::open(&server.anonymous().bearer(&token("customer", "c1"))).await;
    polling.send("40").await.ok(200);
    let mut received = String::new();
    while !received.contains("rt:ready") {
        let answer = polling.receive().await;
        answer.ok(200);
        received.push_str(&answer.text);
        if answer.text.contains('2') {
            polling.send("3").await;
        }
    }
    assert!(received.contains("user-c1"), "{received}");
}

#[tokio::test]
async fn websocket_only_refuses_polling() {
    let server = Setup::new()
        .env("METAIA_TRANSPORTS", "websocket")
        .start()
        .await;
    let refused = server.anonymous().get(HANDSHAKE).await;
    refused.ok(400);
    Phone::ready_as(&server, "customer", "c1").await;
}

#[tokio::test]
async fn a_polling_session_ends_with_its_token() {
    let server = Server::start().await;
    let claims = json!({"userId": "c1", "role": "customer", "exp": in_seconds(3)});
    let short_lived = Token::with_claims(&claims).sign();
    let mut driver = Driver::node();
    let opts =
        json!({"transports": ["polling"], "auth": {"token": short_lived}, "reconnection": false});
    driver.connect_with("c1", &server, &opts).await;
    driver.event("c1", "rt:ready").await;
    let reason = driver.event("c1", "disconnect").await;
    assert_ne!(
        reason, "io server disconnect",
        "clients would not reconnect after that"
    );
}

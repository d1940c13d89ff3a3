//! The list of refusals says why a phone does not connect.

use metaia_tests::clients::phone::Phone;
use metaia_tests::clients::polling::HANDSHAKE;
use metaia_tests::fixtures::token::{Token, in_seconds};
use metaia_tests::server::{Server, Setup};
use serde_json::{Value, json};

/// Returns the refusals with this code.
async fn refusals(server: &Server, code: &str) -> Vec<Value> {
    let data = server.admin().get("/api/realtime/refusals").await.data(200);
    let listed = data["refusals"].as_array().unwrap().iter();
    listed.filter(|one| one["code"] == code).cloned().collect()
}

#[tokio::test]
async fn a_phone_with_an_expired_token_is_named() {
    let server = Server::start().await;
    let claims = json!({"userId": "c7", "role": "customer", "exp": in_seconds(-60)});
    let expired = Token::with_claims(&claims).sign();
    let headers = [("user-agent", "Dart/3.1 (dart:io)")];
    let mut phone = Phone::open_with(&server, &headers).await.unwrap();
    let refused = phone.connect(&json!({"token": expired})).await;
    assert_eq!(refused, Err("token_expired".to_owned()));
    let listed = refusals(&server, "token_expired").await;
    assert_eq!(listed.len(), 1, "{listed:?}");
    let refusal = &listed[0];
    assert_eq!(
        (&refusal["user"], &refusal["role"]),
        (&json!("c7"), &json!("customer"))
    );
    assert_eq!(refusal["userAgent"], "Dart/3.1 (dart:io)");
    assert_eq!(
        (&refusal["transport"], &refusal["count"]),
        (&json!("websocket"), &json!(1))
    );
    assert!(!refusal.to_string().contains(&expired));
}

#[tokio::test]
async fn a_browser_of_a_wrong_origin_is_named() {
    let allowed = "https://app.metaia.example";
    let server = Setup::new().env("CORS_ORIGINS", allowed).start().await;
    let foreign = "https://staging.metaia.example";
    let browser = server.anonymous().header("origin", foreign);
    browser.get(HANDSHAKE).await.ok(403);
    let listed = refusals(&server, "origin_not_allowed").await;
    assert_eq!(listed.len(), 1, "{listed:?}");
    assert_eq!(listed[0]["origin"], foreign);
    assert_eq!(listed[0]["transport"], "polling");
}

#[tokio::test]
async fn a_phone_that_finds_the_node_full_is_named() {
    let server = Setup::new().env("METAIA_LIMITS", "total=1").start().await;
    let _first = Phone::ready_as(&server, "customer", "c1").await;
    let headers = [("user-agent", "Phone of c2")];
    assert!(Phone::open_with(&server, &headers).await.is_err());
    let listed = refusals(&server, "too_many_sessions").await;
    assert_eq!(listed.len(), 1, "{listed:?}");
    assert_eq!(listed[0]["userAgent"], "Phone of c2");
}

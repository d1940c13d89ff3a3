//! The list of refusals says why a phone does not connect, and why a backend or an app is refused.

use futures_util::StreamExt as _;
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

#[tokio::test]
async fn wrong_keys_and_signatures_are_named_without_them() {
    let server = Server::start().await;
    let backend = server.anonymous().header("user-agent", "billing/2.1");
    let wrong = backend.header("x-api-key", "an-api-key-of-yesterday");
    let body = json!({"to": "everyone", "event": "hello", "data": {}});
    // Those beyond 20 a minute are refused with another status, and listed as well.
    for _ in 0..25 {
        wrong.post("/api/realtime/emit", &body).await;
    }
    let signature = "5167".repeat(16);
    let provider = backend.header("x-razorpay-signature", &signature);
    let answer = provider.post_bytes("/api/payments/webhook", "{}").await;
    answer.refused_as(401, "invalid_signature");
    for (code, count) in [("wrong_api_key", 25), ("wrong_webhook_signature", 1)] {
        let listed = refusals(&server, code).await;
        let counts = listed.iter().map(|one| one["count"].as_u64().unwrap());
        assert_eq!(counts.sum::<u64>(), count, "{listed:?}");
        let seconds = 5;
        assert!(listed.len() <= seconds, "equal ones are one: {listed:?}");
        for one in &listed {
            assert_eq!(one["userAgent"], "billing/2.1");
            assert_eq!(one["transport"], "rest");
            assert_eq!(one["user"], Value::Null);
            let text = one.to_string();
            assert!(
                !text.contains("yesterday") && !text.contains(&signature),
                "{text}"
            );
        }
    }
}

#[tokio::test]
async fn a_refused_token_of_a_request_is_named() {
    let server = Server::start().await;
    let claims = json!({"userId": "c7", "role": "customer", "exp": in_seconds(-60)});
    let expired = Token::with_claims(&claims);
    let forged = Token::with_claims(&claims).secret("another secret, just as long as it");
    let unknown = Token::new("king", "c8");
    let app = server.anonymous().header("user-agent", "Metaia/7 (iOS)");
    for (token, code, user) in [
        (expired.sign(), "token_expired", json!("c7")),
        (forged.sign(), "unauthorized", Value::Null),
        (unknown.sign(), "forbidden", json!("c8")),
    ] {
        let answer = app.bearer(&token).get("/api/orders").await;
        assert_eq!(answer.json()["code"], code);
        let listed = refusals(&server, code).await;
        assert_eq!(listed.len(), 1, "{listed:?}");
        assert_eq!(
            (&listed[0]["user"], &listed[0]["transport"]),
            (&user, &json!("rest"))
        );
        assert_eq!(listed[0]["userAgent"], "Metaia/7 (iOS)");
        assert!(!listed[0].to_string().contains(&token));
    }
    server.wait_for_output("a request was refused").await;
    let shown = server.output_lines().join("\n");
    assert!(!shown.contains(&expired.sign()), "{shown}");
}

#[tokio::test]
async fn a_flood_of_requests_pushes_no_phone_off_the_list() {
    let server = Server::start().await;
    let mut phone = Phone::open_with(&server, &[("user-agent", "Dart/3.1")])
        .await
        .unwrap();
    let refused = phone.connect(&json!({"token": "x"})).await;
    assert_eq!(refused, Err("unauthorized".to_owned()));
    let requests = (0..1_300).map(|number| {
        let client = server
            .anonymous()
            .header("user-agent", &format!("flood {number}"));
        async move { client.get("/api/orders").await.refused(401) }
    });
    let requests = futures_util::stream::iter(requests).buffer_unordered(32);
    assert_eq!(requests.count().await, 1_300);
    let listed = refusals(&server, "unauthorized").await;
    let of_requests = listed.iter().filter(|one| one["transport"] == "rest");
    assert_eq!(of_requests.count(), 250);
    let is_phone = |one: &&Value| one["userAgent"] == "Dart/3.1";
    assert_eq!(listed.iter().filter(is_phone).count(), 1);
}

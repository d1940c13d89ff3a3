//! Headers with credentials that are there more than once: a proxy might judge one of them and the
//! server another one.

use metaia_tests::clients::phone::Phone;
use metaia_tests::clients::way::{Reached, Way};
use metaia_tests::fixtures::razorpay::webhook_signature;
use metaia_tests::fixtures::token::token;
use metaia_tests::server::{API_KEY, Server};

#[tokio::test]
async fn rest_refuses_them() {
    let server = Server::start().await;
    let one = format!("Bearer {}", token("customer", "c1"));
    let two = format!("Bearer {}", token("admin", "a1"));
    for (first, second) in [(&one, &two), (&two, &one), (&one, &one)] {
        let api = server.anonymous().header("authorization", first);
        let api = api.another_header("authorization", second);
        let refused = api.get("/api/orders").await;
        refused.refused_as(400, "repeated_header");
        let detail = refused.json()["detail"].to_string();
        assert!(detail.contains("authorization"), "{detail}");
        assert!(!refused.text.contains("eyJ"), "{}", refused.text);
    }
    let keys = server.anonymous().header("x-api-key", API_KEY);
    let keys = keys.another_header("x-api-key", "wrong");
    let event = serde_json::json!({"to": "everyone", "event": "hello", "data": {}});
    let refused = keys.post("/api/realtime/emit", &event).await;
    refused.refused_as(400, "repeated_header");
    // A key beside a token is no repetition.
    let both = server.admin().header("x-api-key", API_KEY);
    both.post("/api/realtime/emit", &event).await.ok(202);
}

#[tokio::test]
async fn a_webhook_with_two_signatures_is_refused() {
    let server = Server::start().await;
    let good = webhook_signature("{}");
    for name in ["x-razorpay-signature", "x-razorpay-event-id"] {
        let provider = server.anonymous().header("x-razorpay-signature", &good);
        let provider = provider.header("x-razorpay-event-id", "e1");
        let provider = provider.another_header(name, "00");
        let refused = provider.post_bytes("/api/payments/webhook", "{}").await;
        refused.refused_as(400, "repeated_header");
    }
}

#[tokio::test]
async fn a_handshake_is_refused_over_each_transport_and_listed() {
    let server = Server::start().await;
    let good = format!("Bearer {}", token("customer", "c1"));
    for way in [Way::WebSocket, Way::Polling] {
        let reached = Reached::by(way, &server);
        let headers = [("authorization", &*good), ("authorization", "Bearer other")];
        let refusal = Phone::open_with(&reached, &headers).await.unwrap_err();
        assert_eq!(refusal.status, 400, "{way:?}");
        let kind = refusal.content_type.as_deref();
        assert_eq!(kind, Some("application/problem+json"), "{way:?}");
        assert!(Phone::open_with(&reached, &headers[..1]).await.is_ok());
    }
    let listed = server.admin().get("/api/realtime/refusals").await.data(200);
    let listed = listed["refusals"].as_array().unwrap().iter();
    let codes: Vec<_> = listed
        .filter(|one| one["code"] == "repeated_header")
        .map(|one| one["transport"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(codes, ["polling", "websocket"]);
}

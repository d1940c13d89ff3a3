//! Wrong API keys and wrong signatures of webhooks: 20 a minute from one network are answered 401,
//! further ones 429. A right one is never slowed.

use metaia_tests::fixtures::razorpay::webhook_signature;
use metaia_tests::server::rest::{Api, ApiResponse};
use metaia_tests::server::{API_KEY, Server, Setup};
use serde_json::json;

const WITHIN_LIMIT: usize = 20;

fn with_key(server: &Server, key: &str) -> Api {
    server.anonymous().header("x-api-key", key)
}

async fn emit(backend: &Api) -> ApiResponse {
    let body = json!({"to": "everyone", "event": "hello", "data": {}});
    backend.post("/api/realtime/emit", &body).await
}

async fn deliver(server: &Server, signature: &str) -> ApiResponse {
    let provider = server.anonymous().header("x-razorpay-signature", signature);
    provider.post_bytes("/api/payments/webhook", "{}").await
}

#[track_caller]
fn assert_limited(answer: &ApiResponse) {
    let seconds: u64 = answer.header("retry-after").parse().unwrap();
    assert!((1..=60).contains(&seconds), "{answer:#?}");
    answer.refused_as(429, "wrong_key");
}

#[tokio::test]
async fn wrong_api_keys_are_limited_and_the_right_one_is_not() {
    let server = Server::start().await;
    let right = with_key(&server, API_KEY);
    for number in 0..WITHIN_LIMIT {
        emit(&with_key(&server, &format!("wrong-{number}")))
            .await
            .refused(401);
        emit(&right).await.ok(202);
    }
    for number in 0..30 {
        assert_limited(&emit(&with_key(&server, &format!("wrong-{number}"))).await);
        emit(&right).await.ok(202);
    }
    // Another kind of secret has a limit of its own, and tokens have nothing to do with it.
    deliver(&server, "00").await.refused(401);
    server.admin().get("/api/orders").await.ok(200);
}

#[tokio::test]
async fn wrong_signatures_of_webhooks_are_limited_and_the_right_one_is_not() {
    let server = Server::start().await;
    for _ in 0..WITHIN_LIMIT {
        deliver(&server, &"0".repeat(64)).await.refused(401);
    }
    for _ in 0..10 {
        assert_limited(&deliver(&server, &"0".repeat(64)).await);
        deliver(&server, &webhook_signature("{}")).await.ok(200);
    }
}

/// Sends wrong keys as a proxy does for this client. Returns the status of the last one.
async fn last_of(server: &Server, client: &str, count: usize) -> u16 {
    let proxy = with_key(server, "wrong").header("x-forwarded-for", client);
    let mut status = 0;
    for _ in 0..count {
        status = emit(&proxy).await.status;
    }
    status
}

#[tokio::test]
async fn behind_a_trusted_proxy_each_network_counts_by_itself() {
    let setup = Setup::new().env("METAIA_TRUSTED_PROXIES", "127.0.0.1");
    let server = setup.start().await;
    assert_eq!(last_of(&server, "198.51.100.1", 21).await, 429);
    assert_eq!(last_of(&server, "198.51.100.2", 20).await, 401);
    // The client sends a list of its own, to which the proxy appends the address.
    assert_eq!(last_of(&server, "203.0.113.5, 198.51.100.1", 1).await, 429);
    // One /64 of IPv6 is one network.
    assert_eq!(last_of(&server, "2001:db8:0:1::1", 20).await, 401);
    assert_eq!(last_of(&server, "2001:db8:0:1:ffff::2", 1).await, 429);
    assert_eq!(last_of(&server, "2001:db8:0:2::1", 1).await, 401);
}

#[tokio::test]
async fn without_a_trusted_proxy_a_client_cannot_choose_its_address() {
    let server = Server::start().await;
    for number in 0..WITHIN_LIMIT {
        assert_eq!(
            last_of(&server, &format!("198.51.100.{number}"), 1).await,
            401
        );
    }
    assert_eq!(last_of(&server, "198.51.100.99", 1).await, 429);
}

#[tokio::test]
async fn each_wrong_key_is_counted_and_few_are_logged() {
    let server = Server::start().await;
    for _ in 0..200 {
        emit(&with_key(&server, "a-wrong-api-key-0123")).await;
    }
    let text = server.metrics().await;
    assert!(
        text.contains("metaia_wrong_keys_total{kind=\"api_key\"} 200"),
        "{text}"
    );
    server
        .wait_for_output("left out: a wrong key was refused")
        .await;
    let lines = server.output_lines();
    let lines = lines.iter();
    let lines: Vec<_> = lines
        .filter(|line| line.contains("a wrong key was refused"))
        .collect();
    assert!((6..20).contains(&lines.len()), "{lines:#?}");
    assert!(lines[0].contains("127.0.0.1"), "{lines:#?}");
    assert!(!server.output_lines().join("\n").contains("a-wrong-api-key"));
}

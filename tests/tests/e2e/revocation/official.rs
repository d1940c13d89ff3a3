//! The official clients stay away: they know that a retry cannot help.

use metaia_tests::clients::driver::Driver;
use metaia_tests::server::Server;
use serde_json::json;

use super::{revoke, token_with};

/// Connects with default options, which reconnect, and revokes the token.
async fn assert_stays_away(mut driver: Driver, opts: serde_json::Value) {
    let server = Server::start().await;
    let token = token_with("customer", "c1", "t1");
    let mut opts = opts;
    opts["auth"] = json!({"token": token});
    driver.connect_with("phone", &server, &opts).await;
    driver.event("phone", "rt:ready").await;
    revoke(&server.admin(), &json!({"jti": "t1"})).await;
    let reason = driver.event("phone", "disconnect").await;
    assert!(
        ["io server disconnect", "server disconnect"].contains(&reason.as_str().unwrap_or("")),
        "{reason}"
    );
    // It is told the reason if it tries all the same.
    driver.connect_with("again", &server, &opts).await;
    let error = driver.event("again", "connect_error").await;
    assert!(error.to_string().contains("token_revoked"), "{error}");
    // A client that came back would have done so meanwhile, and been refused or ready once more.
    let refusals = server.admin().get("/api/realtime/refusals").await.data(200);
    let counts = refusals["refusals"].as_array().into_iter().flatten();
    let count: u64 = counts.filter_map(|refusal| refusal["count"].as_u64()).sum();
    assert_eq!(
        (driver.count("phone", "rt:ready"), count),
        (1, 1),
        "{refusals}"
    );
}

#[tokio::test]
async fn the_js_client_stays_away_over_a_websocket() {
    let opts =
        json!({"transports": ["websocket"], "reconnectionDelay": 1, "reconnectionDelayMax": 2});
    assert_stays_away(Driver::node(), opts).await;
}

#[tokio::test]
async fn the_js_client_stays_away_over_polling() {
    let opts =
        json!({"transports": ["polling"], "reconnectionDelay": 1, "reconnectionDelayMax": 2});
    assert_stays_away(Driver::node(), opts).await;
}

#[tokio::test]
async fn the_python_client_stays_away() {
    assert_stays_away(Driver::python(), json!({})).await;
}

//! Floods of refusals: each is counted, few are logged.

use futures_util::future::join_all;
use metaia_tests::clients::polling::HANDSHAKE;
use metaia_tests::server::{Server, Setup};

/// The refusals of a flood.
const FLOOD: usize = 1_500;

/// Returns the lines of the log with this text.
fn lines(server: &Server, text: &str) -> Vec<String> {
    let lines = server.output_lines().into_iter();
    lines.filter(|line| line.contains(text)).collect()
}

/// Sends a flood of requests, which are refused with this status.
async fn flood(server: &Server, origin: &str, path: &str, status: u16) {
    let client = server.anonymous().header("origin", origin);
    for _ in 0..FLOOD / 50 {
        let requests = (0..50).map(|_| client.get(path));
        for answer in join_all(requests).await {
            assert_eq!(answer.status, status, "{answer:#?}");
        }
    }
}

/// Checks that the flood has few lines, that one of them names how many there were, and that the
/// metric counts each.
async fn assert_few_lines(server: &Server, text: &str, counted: &str) {
    server.wait_for_output(&format!("left out: {text}")).await;
    let lines = lines(server, text);
    assert!((6..60).contains(&lines.len()), "{lines:#?}");
    let metrics = server.metrics().await;
    assert!(metrics.contains(&format!("{counted} {FLOOD}")), "{metrics}");
}

#[tokio::test]
async fn of_a_flood_of_refused_requests_few_are_logged() {
    let server = Server::start().await;
    server.wait_for_output("/metrics").await;
    flood(&server, "https://any.example", "/api/orders", 401).await;
    let counted = "metaia_requests_refused_total{code=\"unauthorized\"}";
    assert_few_lines(&server, "a request was refused", counted).await;
}

#[tokio::test]
async fn of_a_flood_of_refused_handshakes_few_are_logged() {
    let allowed = "https://app.metaia.example";
    let server = Setup::new().env("CORS_ORIGINS", allowed).start().await;
    server.wait_for_output("/metrics").await;
    flood(&server, "https://evil.example", HANDSHAKE, 403).await;
    let counted = "metaia_handshakes_refused_total{code=\"origin_not_allowed\"}";
    assert_few_lines(&server, "handshake refused", counted).await;
}

#[tokio::test]
async fn json_lines_name_what_was_left_out_too() {
    let server = Setup::new().env("METAIA_LOG", "json").start().await;
    flood(&server, "https://any.example", "/api/orders", 401).await;
    server.wait_for_output("left out: a request").await;
    let lines = lines(&server, "left out: a request");
    let line: serde_json::Value = serde_json::from_str(&lines[0]).unwrap();
    assert_eq!(line["code"], "unauthorized");
    assert!(line["count"].as_u64().unwrap() > 1, "{line}");
}

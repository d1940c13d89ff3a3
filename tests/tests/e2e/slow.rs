//! A phone that does not read loses nothing, and hurts nobody.

use futures_util::{StreamExt, stream};
use metaia_tests::fixtures::{raise_fence, up_to_fence};
use metaia_tests::phone::Phone;
use metaia_tests::server::{API_KEY, Server};
use serde_json::json;

/// Events of 8 KiB: more than the kernel's buffers of one connection hold.
const EVENTS: u64 = 1_500;

async fn flood(server: &Server) {
    let backend = server.anonymous().header("x-api-key", API_KEY);
    let text = "x".repeat(8 * 1024);
    let sending = stream::iter(0..EVENTS).map(|n| {
        let body = json!({"to": {"role": "customer"}, "event": "tick", "data": {"n": n, "text": text}});
        let backend = backend.clone();
        async move { backend.post("/api/realtime/emit", &body).await.ok(202) }
    });
    sending.buffer_unordered(16).collect::<Vec<()>>().await;
    raise_fence(server).await;
}

/// All of them, once each, in the log's order.
async fn complete(phone: &mut Phone) {
    let events = up_to_fence(phone).await;
    let number = |at: &str| at.rsplit_once('.').and_then(|(_, n)| n.parse::<u64>().ok()).expect("a position");
    let positions: Vec<_> = events.iter().map(|event| number(event.at())).collect();
    assert!(positions.is_sorted_by(|a, b| a < b), "in order: {positions:?}");
    let mut numbers: Vec<_> = events.iter().filter_map(|event| event.data["n"].as_u64()).collect();
    numbers.sort_unstable();
    assert_eq!(numbers, (0..EVENTS).collect::<Vec<_>>());
}

#[tokio::test]
async fn a_phone_that_does_not_read_loses_nothing_and_hurts_nobody() {
    let server = Server::start().await;
    let mut slow = Phone::of(&server, "customer", "slow").await;
    let mut good = Phone::of(&server, "customer", "good").await;
    tokio::join!(flood(&server), complete(&mut good));
    // Only now does the slow one read: what it was not handed waits in the log.
    complete(&mut slow).await;
}

//! Handshakes that are refused.

use std::time::Duration;

use metaia_realtime::{Role, serve::Transports, testing::TestServer};
use serde_json::json;

use super::{super::server_with, expect};
use crate::support::{
    poller::Poller,
    raw_socket::{RawSocket, http, open_polling},
};

/// The headers that a client sends with each handshake. No secret of them may be listed.
const HEADERS: &str = "User-Agent: Phone/1.0 \u{202e}\r\nAuthorization: Bearer secret\r\n\
                       Cookie: secret\r\n";

const UPGRADE: &str = "Connection: upgrade\r\nUpgrade: websocket\r\n";

#[tokio::test]
async fn each_handshake_that_is_no_socket_io_is_listed_with_its_client() {
    let server = server_with(|_| {}).await;
    let key = "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
    let old = format!("{UPGRADE}{key}Sec-WebSocket-Version: 8\r\n");
    let no_key = format!("{UPGRADE}Sec-WebSocket-Version: 13\r\n");
    for (request, more, code, transport) in [
        (
            "GET EIO=3&transport=polling",
            "",
            "unsupported_version",
            Some("polling"),
        ),
        (
            "GET EIO=3&transport=websocket",
            "",
            "unsupported_version",
            Some("websocket"),
        ),
        ("GET EIO=4&transport=flash", "", "unknown_transport", None),
        ("GET EIO=4", "", "unknown_transport", None),
        (
            "POST EIO=4&transport=polling",
            "",
            "bad_handshake_method",
            Some("polling"),
        ),
        (
            "GET EIO=4&transport=polling&sid=secret",
            "",
            "unknown_session",
            Some("polling"),
        ),
        (
            "GET EIO=4&transport=websocket&sid=secret",
            "",
            "unknown_session",
            Some("websocket"),
        ),
        (
            "GET EIO=4&transport=websocket",
            "",
            "no_upgrade",
            Some("websocket"),
        ),
        (
            "GET EIO=4&transport=websocket",
            &old,
            "websocket_version",
            Some("websocket"),
        ),
        (
            "GET EIO=4&transport=websocket",
            &no_key,
            "websocket_key",
            Some("websocket"),
        ),
    ] {
        let request = request.replace(' ', " /socket.io/?") + "&token=secret";
        let answer = http(&server, &request, &format!("{HEADERS}{more}"), "").await;
        assert!(answer.status >= 400, "{request}");
        let newest = server.realtime().refusals(0).swap_remove(0);
        assert_eq!(
            (newest.code, newest.transport),
            (code, transport),
            "{request}"
        );
        assert_eq!(newest.user_agent.as_deref(), Some(r"Phone/1.0 \u{202e}"));
        let shown = serde_json::to_string(&newest).unwrap();
        assert!(!shown.contains("secret"), "{shown}");
    }
    let stats = server.realtime().stats();
    assert!(stats.handshakes_refused.values().all(|count| *count == 0));
}

#[tokio::test]
async fn a_failed_upgrade_of_a_session_is_listed() {
    let server = server_with(|_| {}).await;
    let phone = Poller::open(&server).await;
    let request = format!("GET {}", phone.websocket_path());
    assert_eq!(http(&server, &request, "", "").await.status, 426);
    let listed = expect(&server, &["no_upgrade"]).await;
    assert_eq!(listed[0].transport, Some("websocket"));
}

#[tokio::test]
async fn a_foreign_origin_is_listed_and_equal_ones_are_counted() {
    let server = TestServer::start(|builder| builder.allowed_origins(["https://a.example"])).await;
    let foreign = "https://evil.example";
    for _ in 0..3 {
        open_polling(&server, &format!("Origin: {foreign}\r\n")).await;
    }
    RawSocket::open_with(&server, &[("origin", foreign)])
        .await
        .err();
    let of = |transport| {
        let listed = server.realtime().refusals(0).into_iter();
        let of_it = listed.filter(move |refusal| refusal.transport == Some(transport));
        of_it
            .map(|refusal| {
                assert_eq!(refusal.code, "origin_not_allowed");
                assert_eq!(refusal.origin.as_deref(), Some(foreign));
                refusal.count
            })
            .sum::<u64>()
    };
    assert_eq!((of("polling"), of("websocket")), (3, 1));
    let counted = server.realtime().stats().handshakes_refused;
    assert_eq!(counted["origin_not_allowed"], 4);
    let newest = server.realtime().refusals(0).swap_remove(0);
    let until = newest.last_at;
    assert!(!server.realtime().refusals(until).is_empty());
    assert!(server.realtime().refusals(until + 1).is_empty());
}

#[tokio::test]
async fn handshakes_over_a_limit_are_listed() {
    let server = server_with(|limits| limits.handshakes_per_s = 1).await;
    for _ in 0..5 {
        open_polling(&server, "").await;
    }
    let counted = server.realtime().stats().handshakes_refused["too_many_handshakes"];
    let listed = server.realtime().refusals(0);
    assert!(
        listed
            .iter()
            .all(|refusal| refusal.code == "too_many_handshakes")
    );
    let listed: u64 = listed.iter().map(|refusal| refusal.count).sum();
    assert!(counted > 0 && listed == counted, "{listed} of {counted}");
}

#[tokio::test]
async fn a_full_node_is_listed_for_each_transport() {
    let server = server_with(|limits| limits.sessions = 1).await;
    let _only = RawSocket::connect(&server, Role::Customer, "c1", json!({})).await;
    assert_eq!(open_polling(&server, "").await.status, 503);
    assert_eq!(RawSocket::open_with(&server, &[]).await.err(), Some(503));
    let listed = expect(&server, &["too_many_sessions"; 2]).await;
    let transports = (listed[0].transport, listed[1].transport);
    assert_eq!(transports, (Some("websocket"), Some("polling")));
}

#[tokio::test]
async fn a_connection_over_the_limit_is_listed_without_its_client() {
    let server = server_with(|limits| limits.connections = 1).await;
    let _only = RawSocket::open(&server).await;
    assert_eq!(open_polling(&server, HEADERS).await.status, 503);
    let listed = expect(&server, &["too_many_connections"]).await;
    assert_eq!((listed[0].transport, &listed[0].user_agent), (None, &None));
}

#[tokio::test]
async fn polling_that_is_off_is_listed() {
    let server = TestServer::start(|builder| builder.transports(Transports::WebSocketOnly)).await;
    open_polling(&server, "").await;
    expect(&server, &["polling_is_off"]).await;
}

#[tokio::test]
async fn a_node_that_drains_lists_whom_it_sends_away() {
    let server = server_with(|_| {}).await;
    server.realtime().drain(Duration::from_secs(1)).await;
    assert_eq!(open_polling(&server, "").await.status, 503);
    let listed = expect(&server, &["draining"]).await;
    assert_eq!(listed[0].transport, Some("polling"));
}

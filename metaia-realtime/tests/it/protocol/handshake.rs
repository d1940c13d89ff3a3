//! The opening handshakes: of Engine.IO, and of WebSocket (RFC 6455, 4.2.1).

use metaia_realtime::{serve::Transports, testing::TestServer};
use serde_json::Value;

use crate::support::raw_socket::{RawSocket, http, open_polling};

const WEBSOCKET: &str = "GET /socket.io/?EIO=4&transport=websocket";

async fn server() -> TestServer {
    TestServer::start(|builder| builder).await
}

/// Returns the headers of a WebSocket handshake, with some changed or left out.
fn headers(changes: &[(&str, Option<&str>)]) -> String {
    let complete = [
        ("Upgrade", "websocket"),
        ("Sec-WebSocket-Version", "13"),
        ("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="),
    ];
    let mut headers = String::new();
    for (name, value) in complete {
        let change = changes.iter().find(|(changed, _)| *changed == name);
        if let Some(value) = change.map_or(Some(value), |(_, value)| *value) {
            headers.push_str(&format!("{name}: {value}\r\n"));
        }
    }
    headers
}

#[tokio::test]
async fn the_first_subprotocol_is_answered() {
    let server = server().await;
    let opened = RawSocket::open_with_subprotocols(&server, "chat, v2").await;
    assert_eq!(opened, Some("chat".to_owned()));
}

#[tokio::test]
async fn a_handshake_that_opens_no_websocket_is_refused() {
    let server = server().await;
    for (changes, status) in [
        (vec![("Upgrade", None)], 426),
        (vec![("Upgrade", Some("h2c"))], 426),
        (vec![("Sec-WebSocket-Version", Some("8"))], 426),
        (vec![("Sec-WebSocket-Version", None)], 426),
        (vec![("Sec-WebSocket-Key", None)], 400),
        (vec![("Sec-WebSocket-Key", Some("short"))], 400),
    ] {
        // `http` sends `Connection: close`; a second one lists the upgrade.
        let headers = format!("Connection: Upgrade\r\n{}", headers(&changes));
        let answer = http(&server, WEBSOCKET, &headers, "").await;
        assert_eq!(answer.status, status, "{changes:?}");
        if status == 426 {
            assert!(
                answer.head.contains("sec-websocket-version: 13")
                    && answer.head.contains("connection: upgrade"),
                "{}",
                answer.head
            );
        }
    }
}

#[tokio::test]
async fn errors_of_the_engine_have_numbers() {
    let server = server().await;
    for (request, code) in [
        ("GET /socket.io/?EIO=4&transport=pigeon", 0),
        ("GET /socket.io/?EIO=4", 0),
        ("GET /socket.io/", 0),
        (
            "GET /socket.io/?EIO=4&transport=polling&sid=AAAAAAAAAAAAAAAA",
            1,
        ),
        ("GET /socket.io/?EIO=4&transport=polling&sid=", 1),
        ("GET /socket.io/?EIO=4&transport=websocket&sid=garbage", 1),
        ("POST /socket.io/?EIO=4&transport=polling", 2),
        ("PUT /socket.io/?EIO=4&transport=websocket", 2),
        ("GET /socket.io/?EIO=3&transport=polling", 5),
        ("GET /socket.io/?transport=websocket", 5),
    ] {
        let answer = http(&server, request, "", "").await;
        assert_eq!(answer.status, 400, "{request}");
        let body: Value = serde_json::from_str(&answer.body).unwrap();
        assert_eq!(body["code"], code, "{request}");
        assert!(body["message"].is_string());
    }
    let server = TestServer::start(|builder| builder.transports(Transports::WebSocketOnly)).await;
    let answer = open_polling(&server, "").await;
    let body: Value = serde_json::from_str(&answer.body).unwrap();
    assert_eq!((answer.status, &body["code"]), (400, &3.into()));
}

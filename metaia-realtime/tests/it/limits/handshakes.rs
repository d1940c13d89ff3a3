//! Limits of handshakes: their rate, their origins and their transports.

use metaia_realtime::{
    BuildError, Realtime, Role,
    client::{ConnectError, Transport},
    serve::Transports,
    testing::TestServer,
};
use serde_json::json;

use super::server_with;
use crate::support::{
    Anyone,
    raw_socket::{RawSocket, http_of_host, open_polling},
    tick, ticks, user,
};

#[tokio::test]
async fn handshakes_per_second_are_limited() {
    let server = server_with(|limits| limits.handshakes_per_s = 2).await;
    let mut answers = Vec::new();
    for _ in 0..6 {
        answers.push(open_polling(&server, "").await);
    }
    assert_eq!((answers[0].status, answers[1].status), (200, 200));
    let refused = answers
        .iter()
        .find(|answer| answer.status == 503)
        .expect("a handshake is refused");
    assert!(refused.body.contains("too_many_handshakes") && refused.head.contains("retry-after: "));
}

#[tokio::test]
async fn origins_are_checked_on_polling_and_on_websocket() {
    let server =
        TestServer::start(|builder| builder.allowed_origins(["https://app.example"])).await;
    for origin in [
        "https://evil.example",
        "null",
        "https://app.example.evil",
        "http://app.example",
        "",
    ] {
        let answer = open_polling(&server, &format!("Origin: {origin}\r\n")).await;
        assert_eq!(answer.status, 403, "{origin}");
        assert!(answer.body.contains("origin_not_allowed"));
        assert_eq!(
            RawSocket::open_with(&server, &[("origin", origin)])
                .await
                .err(),
            Some(403),
            "{origin}"
        );
    }
    let answer = open_polling(&server, "Origin: https://app.example\r\n").await;
    assert_eq!(answer.status, 200);
    assert!(
        answer
            .head
            .contains("access-control-allow-origin: https://app.example"),
        "{}",
        answer.head
    );
    assert!(
        RawSocket::open_with(&server, &[("origin", "https://app.example")])
            .await
            .is_ok()
    );
    assert_eq!(open_polling(&server, "").await.status, 200);
}

#[tokio::test]
async fn the_servers_own_origin_is_let_in_over_polling_and_over_websocket() {
    let server =
        TestServer::start(|builder| builder.allowed_origins(["https://app.example"])).await;
    let own = format!("http://{}", server.address());
    for (origin, status) in [
        (own.clone(), 200),
        (own.replace("http", "ws"), 200),
        (own.replace("http", "https"), 403),
        (format!("{own}0"), 403),
        (own.replace("127.0.0.1", "localhost"), 403),
    ] {
        let headers = format!("Host: {}\r\nOrigin: {origin}\r\n", server.address());
        let request = "GET /socket.io/?EIO=4&transport=polling";
        let answer = http_of_host(&server, request, &headers).await;
        assert_eq!(answer.status, status, "{origin}");
        let opened = RawSocket::open_with(&server, &[("origin", &origin)]).await;
        assert_eq!(opened.err().unwrap_or(200), status, "{origin}");
    }
}

#[tokio::test]
async fn what_is_no_origin_is_refused_when_the_server_is_built() {
    for origin in ["app.example", "*", "https://app.example/path", ""] {
        let builder = Realtime::builder().authenticator(Anyone);
        let refused = builder.allowed_origins([origin]).build().await;
        assert!(matches!(refused, Err(BuildError::Origin(_))), "{origin}");
    }
}

#[tokio::test]
async fn polling_can_be_switched_off() {
    let server = TestServer::start(|builder| builder.transports(Transports::WebSocketOnly)).await;
    assert_eq!(open_polling(&server, "").await.status, 400);
    let refused = server
        .client_builder(Role::Customer, "c1")
        .transport(Transport::Polling)
        .connect()
        .await;
    assert!(
        matches!(refused, Err(ConnectError::Http { status: 400, .. })),
        "{refused:?}"
    );
    let (_client, mut updates) = server.client(Role::Customer, "c1").await;
    tick(server.realtime(), user("c1"), 1).await;
    assert_eq!(ticks(&mut updates, 1).await, [1]);
}

#[tokio::test]
async fn a_failed_upgrade_does_not_affect_the_next_client_on_the_same_connection() {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    let server = server_with(|_| {}).await;
    let mut proxy = tokio::net::TcpStream::connect(server.address())
        .await
        .unwrap();
    proxy
        .write_all(b"GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\nHost: x\r\n\r\n")
        .await
        .unwrap();
    let mut answer = [0; 1_024];
    let read = proxy.read(&mut answer).await.unwrap();
    assert!(
        answer[..read].starts_with(b"HTTP/1.1 4"),
        "{}",
        String::from_utf8_lossy(&answer[..read])
    );
    // The next client over the same connection behaves well, and its credit must return.
    let url = format!(
        "ws://{}/socket.io/?EIO=4&transport=websocket",
        server.address()
    );
    let (ws, _) = tokio_tungstenite::client_async(url, proxy).await.unwrap();
    let mut socket = RawSocket::new(ws);
    let auth = json!({ "token": server.token(Role::Customer, "c1") });
    socket.send(format!("40{auth}")).await;
    socket.until("42[\"rt:ready\"").await;
    for i in 0..1_000 {
        tick(server.realtime(), user("c1"), i).await;
    }
    for _ in 0..1_000 {
        socket.until("42[\"tick\"").await;
    }
}

//! Servers that are silent, or send invalid data.

use futures_util::{SinkExt as _, StreamExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio_tungstenite::{WebSocketStream, accept_async, tungstenite::Message};
use tokio_util::task::TaskTracker;

use super::*;
use crate::client::{ConnectError, DisconnectReason};

pub(super) type Socket = WebSocketStream<TcpStream>;

/// Returns the open packet of a Node server, with a session id of 20 characters.
pub(super) fn open(ping_ms: u64) -> String {
    let sid = "lv_VI97HAXpY6yYWAAAB";
    let handshake = json!({
        "sid": sid, "upgrades": [],
        "pingInterval": ping_ms, "pingTimeout": ping_ms, "maxPayload": 1_000_000,
    });
    format!("0{handshake}")
}

/// Starts a WebSocket server for one client. It runs `script` and then keeps the connection open.
pub(super) async fn scripted<F: Future<Output = Socket> + Send>(
    script: impl FnOnce(Socket) -> F + Send + 'static,
) -> ClientBuilder {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    TaskTracker::new().spawn(async move {
        let (tcp, _) = listener.accept().await.unwrap();
        let mut socket = script(accept_async(tcp).await.unwrap()).await;
        while socket.next().await.is_some() {}
    });
    Client::builder(url).no_reconnect()
}

pub(super) async fn send(socket: &mut Socket, texts: &[&str]) {
    for text in texts {
        socket.send(Message::text(*text)).await.unwrap();
    }
}

pub(super) async fn accepts(socket: Socket) -> Socket {
    accepts_with_pings(socket, 10_000).await
}

async fn accepts_with_pings(mut socket: Socket, ping_ms: u64) -> Socket {
    send(&mut socket, &[&open(ping_ms)]).await;
    socket.next().await.unwrap().unwrap();
    send(&mut socket, &[r#"40{"sid":"HnDv0X8vBNbUAAAB"}"#]).await;
    socket
}

async fn end(updates: &mut Updates) -> DisconnectReason {
    next(updates, "the end", |update| match update {
        Update::Disconnected(reason) => Some(reason),
        _ => None,
    })
    .await
}

#[tokio::test]
async fn a_silent_server_is_a_ping_timeout() {
    let (_client, mut updates) = scripted(|socket| accepts_with_pings(socket, 30))
        .await
        .connect()
        .await
        .unwrap();
    assert_eq!(end(&mut updates).await, DisconnectReason::PingTimeout);
}

#[tokio::test]
async fn pings_are_answered() {
    let script = async |socket| {
        let mut socket = accepts(socket).await;
        send(&mut socket, &["2"]).await;
        let pong = socket.next().await.unwrap().unwrap();
        send(
            &mut socket,
            &[&format!(r#"42["pong",{}]"#, json!(pong.to_text().unwrap()))],
        )
        .await;
        socket
    };
    let (_client, mut updates) = scripted(move |socket| Box::pin(script(socket)))
        .await
        .connect()
        .await
        .unwrap();
    assert_eq!(event(&mut updates, "pong").await, json!("3"));
}

#[tokio::test]
async fn invalid_data_ends_the_connection() {
    let script = async |socket| {
        let mut socket = accepts(socket).await;
        send(&mut socket, &["42{not json"]).await;
        socket
    };
    let (_client, mut updates) = scripted(move |socket| Box::pin(script(socket)))
        .await
        .connect()
        .await
        .unwrap();
    assert!(matches!(
        end(&mut updates).await,
        DisconnectReason::ParseError(_)
    ));
}

#[tokio::test]
async fn a_large_packet_that_is_neither_event_nor_acknowledgement_ends_the_connection() {
    let script = async |socket| {
        let mut socket = accepts(socket).await;
        let large = "x".repeat(9 << 20);
        send(&mut socket, &[&format!(r#"44{{"message":"{large}"}}"#)]).await;
        socket
    };
    let (_client, mut updates) = scripted(move |socket| Box::pin(script(socket)))
        .await
        .connect()
        .await
        .unwrap();
    let reason = end(&mut updates).await;
    assert!(
        matches!(reason, DisconnectReason::TransportClose(_)),
        "{reason:?}"
    );
}

#[tokio::test]
async fn binary_attachments_come_with_their_event() {
    let script = async |socket| {
        let mut socket = accepts(socket).await;
        send(
            &mut socket,
            &[r#"451-["photo",{"_placeholder":true,"num":0}]"#],
        )
        .await;
        socket
            .send(Message::binary(b"jpeg".as_slice()))
            .await
            .unwrap();
        socket
    };
    let (_client, mut updates) = scripted(move |socket| Box::pin(script(socket)))
        .await
        .connect()
        .await
        .unwrap();
    let photo = within("the photo", updates.next_event()).await.unwrap();
    assert_eq!(photo.attachments, [b"jpeg".as_slice()]);
}

#[tokio::test]
async fn a_server_that_never_answers_the_connect_is_a_timeout() {
    let silent = async |mut socket: Socket| {
        send(&mut socket, &[&open(10_000)]).await;
        socket
    };
    let limit = Duration::from_millis(50);
    let attempt = scripted(move |socket| Box::pin(silent(socket)))
        .await
        .connect_timeout(limit)
        .connect()
        .await;
    assert!(matches!(attempt, Err(ConnectError::Timeout(timeout)) if timeout == limit));
}

#[tokio::test]
async fn a_first_packet_that_opens_nothing_is_an_error() {
    let script = async |mut socket: Socket| {
        send(&mut socket, &["6"]).await;
        socket
    };
    let attempt = scripted(move |socket| Box::pin(script(socket)))
        .await
        .connect()
        .await;
    assert!(
        matches!(attempt, Err(ConnectError::Protocol(_))),
        "{attempt:?}"
    );
}

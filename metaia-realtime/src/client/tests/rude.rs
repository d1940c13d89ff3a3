//! Servers that are silent, or speak nonsense.

use futures_util::{SinkExt as _, StreamExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::{WebSocketStream, accept_async};
use tokio_util::task::TaskTracker;

use super::*;
use crate::client::{ConnectError, DisconnectReason};

type Line = WebSocketStream<TcpStream>;

/// As a Node server says it, with a session id of 20 characters.
fn open(ping_ms: u64) -> String {
    let sid = "lv_VI97HAXpY6yYWAAAB";
    let handshake = json!({"sid": sid, "upgrades": [], "pingInterval": ping_ms, "pingTimeout": ping_ms, "maxPayload": 1_000_000});
    format!("0{handshake}")
}

/// A WebSocket server for one client, which does as `script` says and then holds the line.
async fn rude<F: Future<Output = Line> + Send>(
    script: impl FnOnce(Line) -> F + Send + 'static,
) -> ClientBuilder {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    TaskTracker::new().spawn(async move {
        let (tcp, _) = listener.accept().await.unwrap();
        let mut line = script(accept_async(tcp).await.unwrap()).await;
        while line.next().await.is_some() {}
    });
    Client::builder(url).no_reconnect()
}

async fn send(line: &mut Line, texts: &[&str]) {
    for text in texts {
        line.send(Message::text(*text)).await.unwrap();
    }
}

async fn accepts(line: Line) -> Line {
    accepts_with_pings(line, 10_000).await
}

async fn accepts_with_pings(mut line: Line, ping_ms: u64) -> Line {
    send(&mut line, &[&open(ping_ms)]).await;
    line.next().await.unwrap().unwrap();
    send(&mut line, &[r#"40{"sid":"HnDv0X8vBNbUAAAB"}"#]).await;
    line
}

async fn end(updates: &mut Updates) -> DisconnectReason {
    next(updates, "the end", |update| match update {
        Update::Disconnected(reason) => Some(reason),
        _ => None,
    })
    .await
}

#[tokio::test]
async fn a_server_that_falls_silent_is_given_up() {
    let (_client, mut updates) = rude(|line| accepts_with_pings(line, 30))
        .await
        .connect()
        .await
        .unwrap();
    assert_eq!(end(&mut updates).await, DisconnectReason::PingTimeout);
}

#[tokio::test]
async fn pings_are_answered() {
    let script = async |line| {
        let mut line = accepts(line).await;
        send(&mut line, &["2"]).await;
        let pong = line.next().await.unwrap().unwrap();
        send(
            &mut line,
            &[&format!(r#"42["pong",{}]"#, json!(pong.to_text().unwrap()))],
        )
        .await;
        line
    };
    let (_client, mut updates) = rude(move |line| Box::pin(script(line)))
        .await
        .connect()
        .await
        .unwrap();
    assert_eq!(event(&mut updates, "pong").await, json!("3"));
}

#[tokio::test]
async fn nonsense_ends_the_connection() {
    let script = async |line| {
        let mut line = accepts(line).await;
        send(&mut line, &["42{not json"]).await;
        line
    };
    let (_client, mut updates) = rude(move |line| Box::pin(script(line)))
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
async fn binary_attachments_come_with_their_event() {
    let script = async |line| {
        let mut line = accepts(line).await;
        send(
            &mut line,
            &[r#"451-["photo",{"_placeholder":true,"num":0}]"#],
        )
        .await;
        line.send(Message::binary(b"jpeg".as_slice()))
            .await
            .unwrap();
        line
    };
    let (_client, mut updates) = rude(move |line| Box::pin(script(line)))
        .await
        .connect()
        .await
        .unwrap();
    let photo = within("the photo", updates.next_event()).await.unwrap();
    assert_eq!(photo.attachments, [b"jpeg".as_slice()]);
}

#[tokio::test]
async fn a_server_that_never_answers_the_connect_is_given_up() {
    let silent = async |mut line: Line| {
        send(&mut line, &[&open(10_000)]).await;
        line
    };
    let limit = Duration::from_millis(50);
    let attempt = rude(move |line| Box::pin(silent(line)))
        .await
        .connect_timeout(limit)
        .connect()
        .await;
    assert!(matches!(attempt, Err(ConnectError::Timeout(timeout)) if timeout == limit));
}

#[tokio::test]
async fn a_first_packet_that_opens_nothing_is_an_error() {
    let script = async |mut line: Line| {
        send(&mut line, &["6"]).await;
        line
    };
    let attempt = rude(move |line| Box::pin(script(line)))
        .await
        .connect()
        .await;
    assert!(
        matches!(attempt, Err(ConnectError::Protocol(_))),
        "{attempt:?}"
    );
}

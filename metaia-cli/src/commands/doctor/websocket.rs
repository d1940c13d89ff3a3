//! WebSockets without a token: a direct one, and the upgrade of a polling session.

use futures_util::{SinkExt as _, StreamExt as _};
use reqwest::header::{
    CONNECTION, SEC_WEBSOCKET_ACCEPT, SEC_WEBSOCKET_KEY, SEC_WEBSOCKET_VERSION, UPGRADE,
};
use reqwest::{Client, Response, StatusCode, Upgraded};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::handshake::client::generate_key;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;
use tokio_tungstenite::tungstenite::protocol::{Role, WebSocketConfig};
use tokio_tungstenite::tungstenite::{Error, Message};

use super::visit::Visit;
use crate::diagnosis::Fault;
use crate::doctor::open_packet_flaw;

const PATH: &str = "/socket.io/?EIO=4&transport=websocket";

/// The largest frame that is taken. The packets that are awaited have some hundred bytes.
const MAX_FRAME_BYTES: usize = 64 * 1024;

type Socket = WebSocketStream<Upgraded>;

/// Opens a WebSocket, and returns the packet with which the server opens the session.
pub(super) async fn greet(visit: &Visit<'_>) -> Result<String, Fault> {
    greet_with(visit, &visit.http).await
}

/// Does the same with the headers of this client.
pub(super) async fn greet_with(visit: &Visit<'_>, http: &Client) -> Result<String, Fault> {
    let mut socket = open(visit, http, PATH).await?;
    let packet = next_text(&mut socket).await?;
    // A server that is left without a farewell ends the session by itself.
    let _ = socket.close(None).await;
    match open_packet_flaw(&packet) {
        None => Ok(packet),
        Some(flaw) => {
            let text = format!("the first packet does not open a session: {flaw}");
            Err(Fault::Protocol(text))
        }
    }
}

/// Tries the upgrade of a polling session up to the point from which it could not go back.
pub(super) async fn upgrade(visit: &Visit<'_>, sid: &str) -> Result<(), Fault> {
    let path = format!("{PATH}&sid={sid}");
    let mut socket = open(visit, &visit.http, &path).await?;
    let sent = socket.send(Message::text("2probe")).await;
    sent.map_err(|error| fault(&error))?;
    let answer = next_text(&mut socket).await?;
    let _ = socket.close(None).await;
    if answer == "3probe" {
        Ok(())
    } else {
        let text = "the answer to the probe of an upgrade is another packet";
        Err(Fault::Protocol(text.to_owned()))
    }
}

async fn open(visit: &Visit<'_>, http: &Client, path: &str) -> Result<Socket, Fault> {
    let key = generate_key();
    let request = http
        .get(visit.url(path))
        .header(CONNECTION, "Upgrade")
        .header(UPGRADE, "websocket")
        .header(SEC_WEBSOCKET_VERSION, "13")
        .header(SEC_WEBSOCKET_KEY, &key);
    let response = request.send().await.map_err(|error| visit.fault(error))?;
    if response.status() != StatusCode::SWITCHING_PROTOCOLS {
        return Err(Fault::Reply(visit.read(response).await?));
    }
    if !accepts(&response, &key) {
        let text = "the answer is not one to this request for a WebSocket";
        return Err(Fault::Protocol(text.to_owned()));
    }
    let upgraded = response.upgrade().await;
    let upgraded = upgraded.map_err(|error| visit.fault(error))?;
    let config = WebSocketConfig::default()
        .max_message_size(Some(MAX_FRAME_BYTES))
        .max_frame_size(Some(MAX_FRAME_BYTES));
    Ok(WebSocketStream::from_raw_socket(upgraded, Role::Client, Some(config)).await)
}

fn accepts(response: &Response, key: &str) -> bool {
    let accept = response.headers().get(SEC_WEBSOCKET_ACCEPT);
    accept.is_some_and(|accept| accept.as_bytes() == derive_accept_key(key.as_bytes()).as_bytes())
}

async fn next_text(socket: &mut Socket) -> Result<String, Fault> {
    loop {
        match socket.next().await {
            Some(Ok(Message::Text(text))) => return Ok(text.to_string()),
            Some(Ok(_)) => {}
            Some(Err(error)) => return Err(fault(&error)),
            None => return Err(Fault::CutWebSocket),
        }
    }
}

/// Returns what an error of an open WebSocket means.
fn fault(error: &Error) -> Fault {
    match error {
        Error::Io(_) | Error::ConnectionClosed | Error::AlreadyClosed => Fault::CutWebSocket,
        other => match other.to_string() {
            text if text.contains("without closing handshake") => Fault::CutWebSocket,
            text => Fault::Protocol(text),
        },
    }
}

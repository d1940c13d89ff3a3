//! Servers that answer what a test wants: HTTP answers byte by byte, and sessions of Socket.IO
//! with another clock.

use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;
use tokio_tungstenite::tungstenite::protocol::Role;

use crate::server::Listening;
use crate::server::journal::Journal;

/// The time between two pieces of an answer, so that each has a segment of its own.
const PAUSE: Duration = Duration::from_millis(50);

/// The first byte of a connection by TLS.
const TLS_HANDSHAKE: u8 = 0x16;

/// Returns a problem document with the members that each one of METAIA has.
#[must_use]
pub fn problem(status: u16, code: &str, detail: &str) -> String {
    format!(r#"{{"type":"about:blank","status":{status},"code":"{code}","detail":"{detail}"}}"#)
}

/// The behaviour of a stub towards a connection.
#[derive(Debug, Clone)]
enum Script {
    /// It writes these pieces to each request, and closes the connection.
    Pieces(Vec<String>),
    /// It writes this to each request, and then nothing.
    Stall(String),
    /// It opens a WebSocket with this `Date`, and sends these frames after the CONNECT. Any other
    /// request is answered with the `Date` alone.
    Frames(String, Vec<String>),
}

/// A server with a fixed answer. It lives as long as the test.
#[derive(Debug)]
pub struct Stub {
    port: u16,
    /// The frames that it receives after the CONNECT.
    pub received: Journal<String>,
    /// The heads of the requests.
    pub heads: Journal<String>,
}

impl Listening for Stub {
    fn port(&self) -> u16 {
        self.port
    }
}

impl Stub {
    /// Starts a server that answers every request with these pieces.
    pub async fn answering(pieces: &[&str]) -> Self {
        let pieces = pieces.iter().map(|piece| (*piece).to_owned());
        Self::start(Script::Pieces(pieces.collect())).await
    }

    /// Starts a server that answers every request with this beginning, and then with nothing.
    pub async fn stalling(beginning: &str) -> Self {
        Self::start(Script::Stall(beginning.to_owned())).await
    }

    /// Starts a server whose clock shows `date`, and which sends `frames` after the CONNECT.
    pub async fn with_date(date: &str, frames: &[String]) -> Self {
        Self::start(Script::Frames(date.to_owned(), frames.to_vec())).await
    }

    async fn start(script: Script) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let received = Journal::default();
        let heads = Journal::default();
        let stub = Self {
            port,
            received,
            heads,
        };
        let received = stub.received.clone();
        let heads = stub.heads.clone();
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let script = script.clone();
                tokio::spawn(script.play(client, received.clone(), heads.clone()));
            }
        });
        stub
    }
}

impl Script {
    async fn play(self, mut client: TcpStream, received: Journal<String>, heads: Journal<String>) {
        client.set_nodelay(true).ok();
        let Some(head) = read_head(&mut client).await else {
            return;
        };
        heads.push(head.clone());
        match self {
            Self::Pieces(pieces) => write_pieces(client, &pieces).await,
            Self::Stall(beginning) => {
                client.write_all(beginning.as_bytes()).await.ok();
                let mut rest = Vec::new();
                client.read_to_end(&mut rest).await.ok();
            }
            Self::Frames(date, frames) => match websocket_key(&head) {
                Some(key) => {
                    let mut socket = open_websocket(client, &key, &date).await;
                    serve_frames(&mut socket, frames, &received).await;
                }
                None => {
                    let answer =
                        format!("HTTP/1.1 200 OK\r\nDate: {date}\r\nContent-Length: 0\r\n\r\n");
                    write_pieces(client, &[answer]).await;
                }
            },
        }
    }
}

async fn write_pieces(mut client: TcpStream, pieces: &[String]) {
    let mut pause = tokio::time::interval(PAUSE);
    for piece in pieces {
        pause.tick().await;
        if client.write_all(piece.as_bytes()).await.is_err() {
            return;
        }
    }
    // Bytes of the request that were not read would turn the end into a reset.
    client.shutdown().await.ok();
    let mut rest = Vec::new();
    client.read_to_end(&mut rest).await.ok();
}

fn websocket_key(head: &str) -> Option<String> {
    let mut lines = head.lines().filter_map(|line| line.split_once(':'));
    let found = lines.find(|(name, _)| name.eq_ignore_ascii_case("sec-websocket-key"));
    found.map(|(_, key)| key.trim().to_owned())
}

async fn open_websocket(
    mut client: TcpStream,
    key: &str,
    date: &str,
) -> WebSocketStream<TcpStream> {
    let accept = derive_accept_key(key.as_bytes());
    let answer = format!(
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Accept: {accept}\r\nDate: {date}\r\n\r\n"
    );
    client.write_all(answer.as_bytes()).await.ok();
    WebSocketStream::from_raw_socket(client, Role::Server, None).await
}

async fn serve_frames(
    socket: &mut WebSocketStream<TcpStream>,
    frames: Vec<String>,
    received: &Journal<String>,
) {
    let open = r#"0{"sid":"stub","upgrades":[],"pingInterval":25000,"pingTimeout":20000}"#;
    socket.send(Message::text(open)).await.ok();
    // The CONNECT.
    socket.next().await;
    for frame in frames {
        socket.send(Message::text(frame)).await.ok();
    }
    while let Some(Ok(frame)) = socket.next().await {
        if let Message::Text(text) = frame {
            received.push(text.to_string());
        }
    }
}

/// Reads up to the end of a head. A client that speaks TLS has none.
pub(super) async fn read_head(client: &mut TcpStream) -> Option<String> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(client.read_u8().await.ok()?);
        if head == [TLS_HANDSHAKE] {
            return None;
        }
    }
    String::from_utf8(head).ok()
}

//! The polling of a phone, and its upgrade: as the official clients do it, a phone polls on until
//! its probe is answered.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::atomic::{AtomicBool, Ordering};

use futures_util::{SinkExt, StreamExt};
use reqwest::Client;
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use tokio::net::{TcpSocket, TcpStream};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::{MaybeTlsStream, client_async};

use super::line::Socket;
use super::opening::{HandshakeRefusal, websocket_request};
use crate::server::Listening;
use crate::server::rest::http_client_from;

const HANDSHAKE: &str = "/socket.io/?EIO=4&transport=polling";

/// A session over polling. Clones are the same session.
#[derive(Debug, Clone)]
pub(super) struct PollingSession {
    client: Client,
    /// The URL of the server.
    server: String,
    port: u16,
    from: Option<Ipv4Addr>,
    headers: Vec<(&'static str, String)>,
    sid: String,
}

impl PollingSession {
    /// Makes the handshake. `None` means that the server is gone.
    pub(super) async fn open(
        server: &impl Listening,
        headers: &[(&'static str, &str)],
    ) -> Option<Result<Self, HandshakeRefusal>> {
        let from = server.client_address();
        let mut session = Self {
            client: http_client_from(from.map(IpAddr::V4)),
            server: server.url(),
            port: server.port(),
            from,
            headers: headers
                .iter()
                .map(|(name, value)| (*name, (*value).to_owned()))
                .collect(),
            sid: String::new(),
        };
        let url = format!("{}{HANDSHAKE}", session.server);
        let answer = session.client.get(url).headers(session.header_map());
        let answer = answer.send().await.ok()?;
        if answer.status() != 200 {
            return Some(Err(HandshakeRefusal::of(answer.status(), answer.headers())));
        }
        let open = answer.text().await.ok()?;
        assert!(
            open.starts_with("0{"),
            "expected the open packet, got {open:?}"
        );
        session.sid = open.split('"').nth(3)?.to_owned();
        Some(Ok(session))
    }

    fn header_map(&self) -> HeaderMap {
        let pairs = self.headers.iter().map(|(name, value)| {
            let value = HeaderValue::from_str(value).expect("a header value");
            (HeaderName::from_static(name), value)
        });
        pairs.collect()
    }

    fn url(&self) -> String {
        format!("{}{HANDSHAKE}&sid={}", self.server, self.sid)
    }

    /// Sends a packet. Does nothing if the session is over.
    pub(super) async fn post(&self, packet: &str) {
        let post = self.client.post(self.url()).headers(self.header_map());
        let post = post.header("content-type", "text/plain;charset=UTF-8");
        let _ = post.body(packet.to_owned()).send().await;
    }

    /// Polls once, and answers a heartbeat. Returns `None` if the session is over.
    pub(super) async fn poll(&self) -> Option<Vec<String>> {
        let get = self.client.get(self.url()).headers(self.header_map());
        let answer = get.send().await.ok()?;
        if answer.status() != 200 {
            return None;
        }
        let body = answer.text().await.ok()?;
        let mut packets = Vec::new();
        for packet in body.split('\u{1e}') {
            match packet {
                "2" => self.post("3").await,
                // A NOOP, and the close of the session: the next poll is refused.
                "6" | "1" => (),
                packet => packets.push(packet.to_owned()),
            }
        }
        Some(packets)
    }

    /// Upgrades to a WebSocket, while it polls into `received`. Returns `None` if that fails; then
    /// the session still polls, if it is not over.
    pub(super) async fn upgrade(&self, received: &mut impl Extend<String>) -> Option<Socket> {
        let finished = AtomicBool::new(false);
        let probing = async {
            let socket = self.probe().await;
            finished.store(true, Ordering::Relaxed);
            socket
        };
        // A client may switch only when its last poll has been answered.
        let polling = async {
            while !finished.load(Ordering::Relaxed) {
                match self.poll().await {
                    Some(packets) => received.extend(packets),
                    None => return,
                }
            }
        };
        let (socket, ()) = tokio::join!(probing, polling);
        let mut socket = socket?;
        socket.send(Message::text("5")).await.ok()?;
        Some(socket)
    }

    /// Opens the WebSocket of an upgrade, and waits until the server has answered its probe.
    async fn probe(&self) -> Option<Socket> {
        let url = self.server.replacen("http", "ws", 1);
        let url = format!(
            "{url}/socket.io/?EIO=4&transport=websocket&sid={}",
            self.sid
        );
        let headers = self
            .headers
            .iter()
            .map(|(name, value)| (*name, value.as_str()));
        let request = websocket_request(&url, headers);
        let stream = MaybeTlsStream::Plain(self.dial().await?);
        let (mut socket, _) = client_async(request, stream).await.ok()?;
        socket.send(Message::text("2probe")).await.ok()?;
        let answer = socket.next().await?.ok()?;
        (answer == Message::text("3probe")).then_some(socket)
    }

    async fn dial(&self) -> Option<TcpStream> {
        let host = reqwest::Url::parse(&self.server).expect("the server's URL");
        let host: Ipv4Addr = host.host_str()?.parse().expect("an address of IPv4");
        let socket = TcpSocket::new_v4().ok()?;
        if let Some(from) = self.from {
            socket.bind((from, 0).into()).ok()?;
        }
        socket.connect((host, self.port).into()).await.ok()
    }
}

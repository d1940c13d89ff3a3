//! A raw client over any transport. One that upgrades does it as the official clients do; a test
//! can let it upgrade a step at a time.

use std::{cell::Cell, collections::VecDeque};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use metaia_realtime::{
    Role,
    client::Transport,
    testing::{TestServer, within},
};
use serde_json::{Value, json};

use super::{poller::Poller, raw_socket::RawSocket};

/// A client that sends and receives Socket.IO packets as text: `40` is a CONNECT, `42` an event,
/// `43` an acknowledgement. It answers pings, and shows neither them nor NOOPs.
pub(crate) struct RawClient<'a> {
    server: &'a TestServer,
    line: Line,
    /// Packets that came while the client did something else than receive.
    received: VecDeque<String>,
}

enum Line {
    Polling {
        poller: Poller,
        /// The WebSocket to which the client has not switched yet.
        next: Option<RawSocket>,
    },
    WebSocket(RawSocket),
}

impl<'a> RawClient<'a> {
    /// Makes the handshake. With [`Transport::Upgrade`], the client upgrades at once.
    pub(crate) async fn open(server: &'a TestServer, transport: Transport) -> Self {
        let mut client = Self::open_line(server, transport).await;
        client.upgrade_for(transport).await;
        client
    }

    /// Makes the handshake, and sends CONNECT with `auth` and a token. With [`Transport::Upgrade`],
    /// the client upgrades then.
    pub(crate) async fn begin(
        server: &'a TestServer,
        transport: Transport,
        who: (Role, &str),
        auth: Value,
    ) -> Self {
        let mut client = Self::open_line(server, transport).await;
        client.send_connect(who, auth).await;
        client.upgrade_for(transport).await;
        client
    }

    /// Makes the handshake: over a WebSocket, or by polling.
    async fn open_line(server: &'a TestServer, transport: Transport) -> Self {
        let line = match transport {
            Transport::WebSocket => Line::WebSocket(RawSocket::open(server).await),
            _ => Line::Polling {
                poller: Poller::open(server).await,
                next: None,
            },
        };
        Self {
            server,
            line,
            received: VecDeque::new(),
        }
    }

    /// Upgrades if this transport does so.
    async fn upgrade_for(&mut self, transport: Transport) {
        if transport == Transport::Upgrade {
            self.upgrade().await;
        }
    }

    /// Connects a client, and reads no packet after the acknowledgement of its CONNECT.
    pub(crate) async fn connect(
        server: &'a TestServer,
        transport: Transport,
        who: (Role, &str),
        auth: Value,
    ) -> Self {
        let mut client = Self::begin(server, transport, who, auth).await;
        client.until("40{").await;
        client
    }

    /// Connects a client, and reads until `rt:ready`.
    pub(crate) async fn connect_until_ready(
        server: &'a TestServer,
        transport: Transport,
        who: (Role, &str),
        auth: Value,
    ) -> Self {
        let mut client = Self::begin(server, transport, who, auth).await;
        client.until("42[\"rt:ready\"").await;
        client
    }

    /// Sends CONNECT with `auth` and a token.
    pub(crate) async fn send_connect(&mut self, (role, user): (Role, &str), mut auth: Value) {
        auth["token"] = json!(self.server.token(role, user));
        self.send(format!("40{auth}")).await;
    }

    /// Sends a packet. Returns false if the server has ended the connection.
    pub(crate) async fn try_send(&mut self, packet: impl Into<String>) -> bool {
        match &mut self.line {
            Line::WebSocket(socket) => socket.try_send(packet).await,
            Line::Polling { poller, .. } => {
                let answer = poller.post(self.server, &packet.into()).await;
                answer.status == 200
            }
        }
    }

    pub(crate) async fn send(&mut self, packet: impl Into<String>) {
        assert!(self.try_send(packet).await, "the server has closed");
    }

    /// Sends packets in one write, or in one POST.
    pub(crate) async fn send_at_once(&mut self, packets: &[&str]) {
        match &mut self.line {
            Line::WebSocket(socket) => socket.send_at_once(packets).await,
            Line::Polling { .. } => self.send(packets.join("\u{1e}")).await,
        }
    }

    /// Sends a binary message.
    pub(crate) async fn send_bytes(&mut self, bytes: &'static [u8]) {
        match &mut self.line {
            Line::WebSocket(socket) => socket.send_bytes(bytes).await,
            Line::Polling { .. } => self.send(format!("b{}", STANDARD.encode(bytes))).await,
        }
    }

    /// Returns the next packet, or `None` at the end of the session or of its connection.
    pub(crate) async fn next(&mut self) -> Option<String> {
        within("a packet", async {
            loop {
                if let Some(packet) = self.received.pop_front() {
                    return Some(packet);
                }
                match &mut self.line {
                    Line::WebSocket(socket) => return socket.next().await,
                    Line::Polling { poller, .. } => {
                        let more = poll(self.server, poller, &mut self.received).await;
                        // The last packets may come with the end.
                        if !more && self.received.is_empty() {
                            return None;
                        }
                    }
                }
            }
        })
        .await
    }

    /// Receives packets up to one that begins with `prefix`, and returns that.
    pub(crate) async fn until(&mut self, prefix: &str) -> String {
        loop {
            let packet = self.next().await;
            let packet = packet.unwrap_or_else(|| panic!("closed before {prefix}"));
            if packet.starts_with(prefix) {
                return packet;
            }
        }
    }

    /// Returns all packets up to the end.
    pub(crate) async fn rest(&mut self) -> Vec<String> {
        let mut packets = Vec::new();
        while let Some(packet) = self.next().await {
            packets.push(packet);
        }
        packets
    }

    /// Waits for the next ping, and answers it. Drops all other packets.
    pub(crate) async fn answer_a_ping(&mut self) {
        self.received.clear();
        match &mut self.line {
            Line::WebSocket(socket) => socket.answer_a_ping().await,
            Line::Polling { poller, .. } => {
                within("a ping", async {
                    while !poller
                        .get(self.server)
                        .await
                        .body
                        .split('\u{1e}')
                        .any(|packet| packet == "2")
                    {}
                    poller.post(self.server, "3").await;
                })
                .await;
            }
        }
    }

    /// Answers pings until `holds` returns true.
    pub(crate) async fn answer_pings_until(&mut self, what: &str, holds: impl Fn() -> bool) {
        within(what, async {
            while !holds() {
                self.answer_a_ping().await;
            }
        })
        .await;
    }

    /// Breaks the connection. A client that polls has none, and ends its session instead.
    pub(crate) async fn vanish(self) {
        if let Line::Polling { poller, .. } = self.line {
            poller.post(self.server, "1").await;
        }
    }

    /// Opens the WebSocket of an upgrade. Returns false if the server refuses it.
    pub(crate) async fn open_websocket(&mut self) -> bool {
        let Line::Polling { poller, next } = &mut self.line else {
            panic!("only a client that polls can upgrade");
        };
        *next = poller.try_open_websocket().await;
        next.is_some()
    }

    /// Probes the WebSocket while the client polls, and sends each of `posts` by POST. Returns
    /// false if the server closes the WebSocket.
    pub(crate) async fn probe(&mut self, posts: &[String]) -> bool {
        let Line::Polling {
            poller,
            next: Some(websocket),
        } = &mut self.line
        else {
            panic!("there is no WebSocket to probe");
        };
        let server = self.server;
        let received = &mut self.received;
        let finished = Cell::new(false);
        let probing = async {
            websocket.try_send("2probe").await;
            for post in posts {
                assert_eq!(poller.post(server, post).await.status, 200);
            }
            let answer = websocket.next().await;
            finished.set(true);
            answer.is_some_and(|answer| answer == "3probe")
        };
        // A client may switch only when its last poll has been answered.
        let polling = async { while poll(server, poller, received).await && !finished.get() {} };
        let (probed, ()) = within("the probe", async { tokio::join!(probing, polling) }).await;
        probed
    }

    /// Switches to the WebSocket, and sends `behind` over it, in one write with the switch.
    pub(crate) async fn switch(&mut self, behind: &[String]) {
        let Line::Polling { next, .. } = &mut self.line else {
            panic!("only a client that polls can upgrade");
        };
        let mut websocket = next.take().expect("a WebSocket to switch to");
        let mut packets = vec!["5"];
        packets.extend(behind.iter().map(String::as_str));
        websocket.try_send_at_once(&packets).await;
        self.line = Line::WebSocket(websocket);
    }

    /// Upgrades from polling to a WebSocket. Returns false, and goes on polling, if the server ends
    /// the upgrade.
    pub(crate) async fn try_upgrade(&mut self) -> bool {
        let probed = self.open_websocket().await && self.probe(&[]).await;
        if probed {
            self.switch(&[]).await;
        }
        probed
    }

    /// Upgrades from polling to a WebSocket.
    pub(crate) async fn upgrade(&mut self) {
        assert!(self.try_upgrade().await, "the server ends the upgrade");
    }
}

/// Polls once. Returns false if the session is over.
async fn poll(server: &TestServer, poller: &Poller, received: &mut VecDeque<String>) -> bool {
    let answer = poller.get(server).await;
    if answer.status != 200 {
        return false;
    }
    for packet in answer.body.split('\u{1e}') {
        match packet {
            "1" => return false,
            "2" => {
                poller.post(server, "3").await;
            }
            "6" => {}
            packet => received.push_back(packet.to_owned()),
        }
    }
    true
}

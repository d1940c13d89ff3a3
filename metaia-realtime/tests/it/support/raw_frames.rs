//! A WebSocket of single frames, for clients that break the rules of framing.

use std::net::SocketAddr;

use metaia_realtime::{
    Role,
    client::Transport,
    testing::{TestServer, within},
};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

use super::poller::Poller;

/// The first byte of a final text frame.
pub(crate) const TEXT: u8 = 0x81;
/// The first byte of a close frame.
pub(crate) const CLOSE: u8 = 0x88;

const PATH: &str = "/socket.io/?EIO=4&transport=websocket";

const HEADERS: &str = "HTTP/1.1\r\nHost: x\r\n\
    Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
    Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";

/// A WebSocket on which every byte is written as the test says.
pub(crate) struct RawFrames {
    pub(crate) tcp: TcpStream,
}

/// A frame of the server.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Frame {
    /// FIN, the reserved bits, and the opcode.
    pub(crate) first: u8,
    pub(crate) payload: Vec<u8>,
}

impl RawFrames {
    /// Opens a WebSocket, and reads the OPEN packet.
    pub(crate) async fn open(address: SocketAddr) -> Self {
        let mut frames = Self::handshake(address, PATH).await;
        assert!(frames.text().await.starts_with("0{"));
        frames
    }

    /// Makes the handshake of a polling client, which upgrades to a WebSocket.
    pub(crate) async fn open_upgraded(server: &TestServer) -> Self {
        let poller = Poller::open(server).await;
        let mut frames = Self::handshake(server.address(), &poller.websocket_path()).await;
        frames.send(&client_frame(TEXT, b"2probe")).await;
        assert_eq!(frames.text().await, "3probe");
        // The ping of the engine, or a NOOP.
        poller.get(server).await;
        frames.send(&client_frame(TEXT, b"5")).await;
        frames
    }

    async fn handshake(address: SocketAddr, path: &str) -> Self {
        let tcp = TcpStream::connect(address).await.unwrap();
        tcp.set_nodelay(true).unwrap();
        let mut frames = Self { tcp };
        frames
            .send(format!("GET {path} {HEADERS}").as_bytes())
            .await;
        frames.read_head().await;
        frames
    }

    /// Opens a WebSocket in this way, which is not polling.
    pub(crate) async fn open_over(server: &TestServer, transport: Transport) -> Self {
        match transport {
            Transport::Upgrade => Self::open_upgraded(server).await,
            _ => Self::open(server.address()).await,
        }
    }

    /// Opens a WebSocket in this way, sends CONNECT, and reads up to `rt:ready`.
    pub(crate) async fn connect_over(server: &TestServer, transport: Transport) -> Self {
        let frames = Self::open_over(server, transport).await;
        frames
            .begin_session(&server.token(Role::Customer, "c1"))
            .await
    }

    /// Opens a WebSocket, sends CONNECT, and reads up to `rt:ready`.
    pub(crate) async fn connect(address: SocketAddr, token: &str) -> Self {
        Self::open(address).await.begin_session(token).await
    }

    async fn begin_session(mut self, token: &str) -> Self {
        let connect = format!(r#"40{{"token":"{token}"}}"#);
        self.send(&client_frame(TEXT, connect.as_bytes())).await;
        while !self.text().await.starts_with("42[\"rt:ready\"") {}
        self
    }

    async fn read_head(&mut self) {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.push(self.tcp.read_u8().await.unwrap());
        }
        assert!(head.starts_with(b"HTTP/1.1 101 "));
    }

    /// Sends bytes as they are.
    pub(crate) async fn send(&mut self, bytes: &[u8]) {
        self.tcp.write_all(bytes).await.unwrap();
    }

    /// Returns the next frame; `None` at the end of the connection, or if it was reset.
    pub(crate) async fn next(&mut self) -> Option<Frame> {
        within("a frame", self.read_frame()).await.ok()
    }

    async fn read_frame(&mut self) -> std::io::Result<Frame> {
        let first = self.tcp.read_u8().await?;
        let length = match self.tcp.read_u8().await? {
            126 => u64::from(self.tcp.read_u16().await?),
            127 => self.tcp.read_u64().await?,
            length => u64::from(length),
        };
        let mut payload = vec![0; usize::try_from(length).unwrap()];
        self.tcp.read_exact(&mut payload).await?;
        Ok(Frame { first, payload })
    }

    /// Returns the payload of the next frame, which must be a text.
    pub(crate) async fn text(&mut self) -> String {
        let frame = self.next().await.expect("a text frame");
        assert_eq!(frame.first, TEXT, "{frame:?}");
        String::from_utf8(frame.payload).unwrap()
    }

    /// Returns the payload of the close frame, which must come, and be the last frame.
    pub(crate) async fn close_payload(&mut self) -> Vec<u8> {
        let close = loop {
            let frame = self.next().await.expect("a close frame");
            if frame.first == CLOSE {
                break frame;
            }
        };
        let more = self.next().await;
        assert_eq!(more, None, "nothing follows a close frame");
        close.payload
    }
}

/// Returns a frame as a client sends it.
pub(crate) fn client_frame(first: u8, payload: &[u8]) -> Vec<u8> {
    const KEY: [u8; 4] = [0x12, 0x34, 0x56, 0x78];
    let mut frame = vec![first];
    match payload.len() {
        length @ 0..=125 => frame.push(0x80 | length as u8),
        length @ 126..=0xffff => {
            frame.push(0xfe);
            frame.extend((length as u16).to_be_bytes());
        }
        length => {
            frame.push(0xff);
            frame.extend((length as u64).to_be_bytes());
        }
    }
    frame.extend(KEY);
    let masked = payload.iter().zip(KEY.iter().cycle());
    frame.extend(masked.map(|(byte, key)| byte ^ key));
    frame
}

//! A WebSocket that is being opened.

use std::collections::VecDeque;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};

use metaia_tests::clients::frames::{CLOSE, FrameReader, PING, PONG, TEXT, client_frame};
use metaia_tests::clients::http_response::HttpResponse;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpSocket, TcpStream};

use super::members::Arrival;

/// The way in which a server refuses a WebSocket.
#[derive(Debug)]
pub(crate) enum Refusal {
    /// It answers with another status.
    Answer(HttpResponse),
    /// It closes the connection, or its kernel does.
    Broken(io::Error),
}

/// An open WebSocket whose packets are read one by one.
#[derive(Debug)]
pub(crate) struct Wire {
    stream: TcpStream,
    frames: FrameReader,
    /// Frames that were read and not yet looked at: opcode and payload.
    waiting: VecDeque<(u8, Vec<u8>)>,
}

impl Wire {
    /// Opens a WebSocket at this path.
    pub(super) async fn open(port: u16, path: &str) -> Self {
        let opened = Self::over(connect(port).await, path).await;
        opened.expect("the server opens a WebSocket")
    }

    /// Opens a WebSocket over this connection, unless the server refuses it.
    pub(crate) async fn over(mut stream: TcpStream, path: &str) -> Result<Self, Refusal> {
        let port = stream.peer_addr().expect("a connection").port();
        let request = format!(
            "GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nUpgrade: websocket\r\n\
             Connection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
             Sec-WebSocket-Version: 13\r\n\r\n"
        );
        let written = stream.write_all(request.as_bytes()).await;
        written.map_err(Refusal::Broken)?;
        let mut bytes = Vec::new();
        let response = try_response(&mut stream, &mut bytes).await;
        let response = response.map_err(Refusal::Broken)?;
        if response.status != 101 {
            return Err(Refusal::Answer(response));
        }
        let mut wire = Self {
            stream,
            frames: FrameReader::default(),
            waiting: VecDeque::new(),
        };
        // The server may have sent frames right behind its response.
        wire.take(&bytes[response.length..]);
        Ok(wire)
    }

    fn take(&mut self, bytes: &[u8]) {
        let waiting = &mut self.waiting;
        self.frames.read(bytes, |frame| {
            waiting.push_back((frame.opcode, frame.payload.to_vec()));
        });
    }

    /// Sends a packet.
    pub(crate) async fn send(&mut self, packet: &str) -> io::Result<()> {
        self.write(TEXT, packet.as_bytes()).await
    }

    async fn write(&mut self, opcode: u8, payload: &[u8]) -> io::Result<()> {
        let frame = client_frame(opcode, payload);
        self.stream.write_all(&frame).await
    }

    /// Waits for a packet that begins with `start`. All packets before it are discarded.
    pub(crate) async fn until(&mut self, start: &str) -> io::Result<()> {
        loop {
            while let Some((opcode, payload)) = self.waiting.pop_front() {
                if opcode == TEXT && payload.starts_with(start.as_bytes()) {
                    return Ok(());
                }
                self.answer(opcode, &payload).await?;
            }
            let mut bytes = Vec::new();
            try_read(&mut self.stream, &mut bytes).await?;
            self.take(&bytes);
        }
    }

    /// Answers a ping of WebSocket or of Engine.IO.
    async fn answer(&mut self, opcode: u8, payload: &[u8]) -> io::Result<()> {
        match (opcode, payload) {
            (PING, _) => self.write(PONG, payload).await,
            (TEXT, b"2") => self.send("3").await,
            (CLOSE, _) => Err(io::ErrorKind::UnexpectedEof.into()),
            _ => Ok(()),
        }
    }

    /// Returns the connection for a crowd.
    pub(super) async fn into_arrival(mut self) -> io::Result<Arrival> {
        while let Some((opcode, payload)) = self.waiting.pop_front() {
            self.answer(opcode, &payload).await?;
        }
        Ok(Arrival {
            stream: self.stream.into_std()?,
            frames: self.frames,
        })
    }

    /// Returns the connection. What was read of it already is lost.
    pub(crate) fn into_stream(self) -> TcpStream {
        self.stream
    }
}

/// Connects to a port of this machine.
pub(super) async fn connect(port: u16) -> TcpStream {
    let stream = TcpStream::connect(("127.0.0.1", port)).await;
    let stream = stream.expect("the server accepts connections");
    stream.set_nodelay(true).expect("TCP_NODELAY");
    stream
}

/// Connects to a port of this machine from this loopback address. Each address has ports of its
/// own, so that they do not run out.
pub(crate) async fn connect_from(address: Ipv4Addr, port: u16) -> io::Result<TcpStream> {
    let socket = TcpSocket::new_v4().expect("a socket");
    socket.set_nodelay(true).expect("TCP_NODELAY");
    let bound = socket.bind(SocketAddr::from((address, 0)));
    bound.expect("a port of the loopback address");
    let server = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    socket.connect(server).await
}

/// Waits for a whole response, and leaves what follows it in `bytes`, behind it.
pub(super) async fn response(stream: &mut TcpStream, bytes: &mut Vec<u8>) -> HttpResponse {
    let response = try_response(stream, bytes).await;
    response.expect("the server answers")
}

async fn try_response(stream: &mut TcpStream, bytes: &mut Vec<u8>) -> io::Result<HttpResponse> {
    loop {
        if let Some(response) = HttpResponse::parse(bytes) {
            return Ok(response);
        }
        try_read(stream, bytes).await?;
    }
}

async fn try_read(stream: &mut TcpStream, bytes: &mut Vec<u8>) -> io::Result<()> {
    match stream.read_buf(bytes).await? {
        0 => Err(io::ErrorKind::UnexpectedEof.into()),
        _ => Ok(()),
    }
}

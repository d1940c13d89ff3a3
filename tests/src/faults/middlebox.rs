//! A middlebox between a client and a server that does not understand WebSocket, as proxies, virus
//! scanners and mobile networks are: everything passes, only WebSockets fail.

use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep_until};

use crate::server::Listening;
use crate::server::journal::Journal;

/// The fate of a WebSocket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WebSocketFault {
    /// The request is answered 400.
    Refused,
    /// The request is passed on without its `Upgrade`.
    Stripped,
    /// The connection is reset.
    Reset,
    /// The `101` passes, and the connection is closed behind it.
    ClosedAfterAnswer,
    /// The `101` passes, and nothing of the client behind it.
    ClientsFramesLost,
    /// The `101` passes, and nothing of the server behind it.
    ServersFramesLost,
    /// Nothing fails, but all bytes of all connections are this late, in each direction.
    Late(Duration),
}

/// A middlebox before one server. Dropping it ends nothing: it lives as long as the test.
#[derive(Debug)]
pub struct Middlebox {
    port: u16,
    ended: Journal<WebSocketFault>,
}

impl Listening for Middlebox {
    fn port(&self) -> u16 {
        self.port
    }
}

impl Middlebox {
    /// Starts a middlebox before the server.
    pub async fn before(server: &impl Listening, fault: WebSocketFault) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let ended = Journal::default();
        let passage = Passage {
            server: server.port(),
            fault,
            ended: ended.clone(),
        };
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                tokio::spawn(passage.clone().pass(client));
            }
        });
        Self { port, ended }
    }

    /// Waits until a WebSocket has ended at either side.
    pub async fn websocket_ended(&self) {
        let first = |ended: &[WebSocketFault]| ended.first().copied();
        self.ended.wait_for("the end of a WebSocket", first).await;
    }
}

#[derive(Debug, Clone)]
struct Passage {
    server: u16,
    fault: WebSocketFault,
    ended: Journal<WebSocketFault>,
}

impl Passage {
    async fn pass(self, mut client: TcpStream) {
        client.set_nodelay(true).ok();
        let Some(head) = read_head(&mut client).await else {
            return;
        };
        let is_websocket = head.to_lowercase().contains("upgrade: websocket");
        if let WebSocketFault::Late(delay) = self.fault {
            return self.pass_late(client, head, delay).await;
        }
        if is_websocket {
            self.meddle(client, head).await;
            self.ended.push(self.fault);
        } else {
            self.pass_all(client, head).await;
        }
    }

    async fn meddle(&self, mut client: TcpStream, head: String) {
        match self.fault {
            WebSocketFault::Refused => {
                let answer = b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n";
                client.write_all(answer).await.ok();
            }
            WebSocketFault::Stripped => {
                let kept = head
                    .split_inclusive("\r\n")
                    .filter(|line| !line.to_lowercase().contains("upgrade"));
                self.pass_all(client, kept.collect()).await;
            }
            WebSocketFault::Reset => {
                client.set_zero_linger().ok();
            }
            _ => self.lose_frames(client, head).await,
        }
    }

    /// Passes the request and the `101`, and then loses frames.
    async fn lose_frames(&self, mut client: TcpStream, head: String) {
        let Some(mut server) = self.dial(&head).await else {
            return;
        };
        let Some(answer) = read_head(&mut server).await else {
            return;
        };
        client.write_all(answer.as_bytes()).await.ok();
        let (from_client, to_client) = client.split();
        let (from_server, to_server) = server.split();
        match self.fault {
            WebSocketFault::ClientsFramesLost => {
                tokio::select! {
                    () = copy(from_server, to_client) => {}
                    () = copy(from_client, tokio::io::sink()) => {}
                }
            }
            WebSocketFault::ServersFramesLost => {
                tokio::select! {
                    () = copy(from_server, tokio::io::sink()) => {}
                    () = copy(from_client, to_server) => {}
                }
            }
            _ => {}
        }
    }

    async fn pass_all(&self, mut client: TcpStream, head: String) {
        if let Some(mut server) = self.dial(&head).await {
            tokio::io::copy_bidirectional(&mut client, &mut server)
                .await
                .ok();
        }
    }

    async fn pass_late(&self, client: TcpStream, head: String, delay: Duration) {
        sleep_until(Instant::now() + delay).await;
        let Some(server) = self.dial(&head).await else {
            return;
        };
        let (from_client, to_client) = client.into_split();
        let (from_server, to_server) = server.into_split();
        tokio::join!(
            copy_late(from_client, to_server, delay),
            copy_late(from_server, to_client, delay)
        );
    }

    /// Connects to the server and sends the head of the request.
    async fn dial(&self, head: &str) -> Option<TcpStream> {
        let mut server = TcpStream::connect(("127.0.0.1", self.server)).await.ok()?;
        server.set_nodelay(true).ok()?;
        server.write_all(head.as_bytes()).await.ok()?;
        Some(server)
    }
}

/// Reads up to the end of a head, byte by byte, so that nothing behind it is taken.
async fn read_head(stream: &mut TcpStream) -> Option<String> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.ok()?);
    }
    String::from_utf8(head).ok()
}

async fn copy(
    mut from: impl tokio::io::AsyncRead + Unpin,
    mut to: impl tokio::io::AsyncWrite + Unpin,
) {
    tokio::io::copy(&mut from, &mut to).await.ok();
}

/// Copies bytes, each piece `delay` after it came.
async fn copy_late(
    mut from: tokio::net::tcp::OwnedReadHalf,
    mut to: tokio::net::tcp::OwnedWriteHalf,
    delay: Duration,
) {
    let (pieces, mut due) = mpsc::unbounded_channel();
    let read = async move {
        let mut bytes = vec![0; 16 * 1024];
        while let Ok(count @ 1..) = from.read(&mut bytes).await {
            let piece = (Instant::now() + delay, bytes[..count].to_vec());
            if pieces.send(piece).is_err() {
                return;
            }
        }
    };
    let write = async move {
        while let Some((at, bytes)) = due.recv().await {
            sleep_until(at).await;
            if to.write_all(&bytes).await.is_err() {
                return;
            }
        }
    };
    tokio::join!(read, write);
}

//! Clients without manners: raw WebSocket and raw HTTP.

use std::net::SocketAddr;

use futures_util::{SinkExt as _, StreamExt as _};
use metaia_realtime::{
    Role,
    testing::{TestServer, within},
};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpSocket, TcpStream},
};
use tokio_tungstenite::{
    WebSocketStream, client_async,
    tungstenite::{Error, Message, client::IntoClientRequest as _, http::Request},
};

/// A receive buffer, in bytes.
pub(crate) const NARROW: u32 = 8_192;

/// One WebSocket, one packet at a time.
pub(crate) struct Line(WebSocketStream<TcpStream>);

impl Line {
    pub(crate) fn of(line: WebSocketStream<TcpStream>) -> Self {
        Self(line)
    }

    /// A WebSocket that has got the open packet. `Err`: the HTTP status.
    pub(crate) async fn open_with(
        server: &TestServer,
        headers: &[(&'static str, &str)],
    ) -> Result<Self, u16> {
        let url = format!(
            "ws://{}/socket.io/?EIO=4&transport=websocket",
            server.address()
        );
        let mut request = url.into_client_request().unwrap();
        for (name, value) in headers {
            request.headers_mut().insert(*name, value.parse().unwrap());
        }
        let tcp = TcpStream::connect(server.address()).await.unwrap();
        Self::open_over(tcp, request).await
    }

    /// The same, over a connection with a receive buffer that little fits in.
    pub(crate) async fn open_narrow(server: &TestServer) -> Self {
        let socket = TcpSocket::new_v4().unwrap();
        socket.set_recv_buffer_size(NARROW).unwrap();
        let tcp = socket.connect(server.address()).await.unwrap();
        let url = format!(
            "ws://{}/socket.io/?EIO=4&transport=websocket",
            server.address()
        );
        Self::open_over(tcp, url.into_client_request().unwrap())
            .await
            .unwrap()
    }

    async fn open_over(tcp: TcpStream, request: Request<()>) -> Result<Self, u16> {
        match within("the handshake", client_async(request, tcp)).await {
            Ok((line, _)) => {
                let mut line = Self(line);
                assert!(line.next().await.unwrap().starts_with("0{"));
                Ok(line)
            }
            Err(Error::Http(answer)) => Err(answer.status().as_u16()),
            Err(other) => panic!("{other}"),
        }
    }

    pub(crate) async fn open(server: &TestServer) -> Self {
        Self::open_with(server, &[]).await.unwrap()
    }

    /// A connected one, after `rt:ready`.
    pub(crate) async fn connect(server: &TestServer, role: Role, user: &str, auth: Value) -> Self {
        let (mut line, _) = Self::beginning(server, role, user, auth).await;
        line.until("42[\"rt:ready\"").await;
        line
    }

    /// A connected one that has read nothing yet, and its `auth`.
    pub(crate) async fn beginning(
        server: &TestServer,
        role: Role,
        user: &str,
        mut auth: Value,
    ) -> (Self, Value) {
        let mut line = Self::open(server).await;
        auth["token"] = json!(server.token(role, user));
        line.send(format!("40{auth}")).await;
        line.until("40{").await;
        (line, auth)
    }

    /// Waits for the next ping, and answers it. What else comes is dropped.
    pub(crate) async fn answer_a_ping(&mut self) {
        within("a ping", async {
            while self.0.next().await.unwrap().unwrap() != Message::text("2") {}
            self.send("3").await;
        })
        .await;
    }

    /// Answers pings until something holds.
    pub(crate) async fn answering(&mut self, what: &str, holds: impl Fn() -> bool) {
        within(what, async {
            while !holds() {
                self.answer_a_ping().await;
            }
        })
        .await;
    }

    /// Its own address, by which the server's end is found.
    pub(crate) fn address(&self) -> SocketAddr {
        self.0.get_ref().local_addr().unwrap()
    }

    pub(crate) async fn send(&mut self, text: impl Into<String>) {
        self.0.send(Message::text(text.into())).await.unwrap();
    }

    /// Sends what the server may no longer want to hear.
    pub(crate) async fn try_send(&mut self, text: impl Into<String>) -> bool {
        self.0.send(Message::text(text.into())).await.is_ok()
    }

    /// The next packet but for pings, which are answered; `None` at the end.
    pub(crate) async fn next(&mut self) -> Option<String> {
        within("a packet", async {
            loop {
                match self.0.next().await? {
                    Ok(Message::Text(text)) if text.as_str() == "2" => {
                        self.try_send("3").await;
                    }
                    Ok(Message::Text(text)) => return Some(text.as_str().to_owned()),
                    Ok(_) => {}
                    Err(_) => return None,
                }
            }
        })
        .await
    }

    /// The next packet that begins like this.
    pub(crate) async fn until(&mut self, prefix: &str) -> String {
        loop {
            let packet = self
                .next()
                .await
                .unwrap_or_else(|| panic!("closed before {prefix}"));
            if packet.starts_with(prefix) {
                return packet;
            }
        }
    }

    /// Everything up to the end of the connection.
    pub(crate) async fn rest(&mut self) -> Vec<String> {
        let mut packets = Vec::new();
        while let Some(packet) = self.next().await {
            packets.push(packet);
        }
        packets
    }
}

/// An HTTP answer, whole.
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: String,
}

/// One request over a connection of its own.
pub(crate) async fn http(
    server: &TestServer,
    request_line: &str,
    headers: &str,
    body: &str,
) -> Answer {
    let mut tcp = TcpStream::connect(server.address()).await.unwrap();
    let length = body.len();
    let request = format!(
        "{request_line} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: {length}\r\n{headers}\r\n{body}"
    );
    tcp.write_all(request.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    within("an answer", tcp.read_to_end(&mut answer))
        .await
        .unwrap();
    let answer = String::from_utf8_lossy(&answer).into_owned();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap_or((&answer, ""));
    let status = head
        .split(' ')
        .nth(1)
        .and_then(|status| status.parse().ok())
        .unwrap_or(0);
    Answer {
        status,
        head: head.to_lowercase(),
        body: body.to_owned(),
    }
}

/// A polling handshake.
pub(crate) async fn open_polling(server: &TestServer, headers: &str) -> Answer {
    http(
        server,
        "GET /socket.io/?EIO=4&transport=polling",
        headers,
        "",
    )
    .await
}

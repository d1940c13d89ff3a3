//! Raw WebSockets and raw HTTP, for clients that break the rules.

use std::net::SocketAddr;

use futures_util::{SinkExt as _, StreamExt as _, stream};
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

/// A receive buffer into which little fits, in bytes.
pub(crate) const SMALL_BUFFER: u32 = 8_192;

/// The last packets of a session that is ended for good.
pub(crate) const KICKED: [&str; 2] = [r#"42["rt:end",{"code":"kicked"}]"#, "41"];

/// A WebSocket that sends and receives Engine.IO packets as text: `2` is a ping, `40` a CONNECT,
/// `42` an event, `43` an acknowledgement.
pub(crate) struct RawSocket(WebSocketStream<TcpStream>);

impl RawSocket {
    pub(crate) fn new(websocket: WebSocketStream<TcpStream>) -> Self {
        Self(websocket)
    }

    /// Opens a WebSocket with extra headers, and waits for the open packet.
    ///
    /// # Errors
    ///
    /// Returns the HTTP status if the server refuses the handshake.
    pub(crate) async fn open_with(
        server: &TestServer,
        headers: &[(&'static str, &str)],
    ) -> Result<Self, u16> {
        let mut request = url(server).into_client_request().unwrap();
        for (name, value) in headers {
            request.headers_mut().insert(*name, value.parse().unwrap());
        }
        let tcp = TcpStream::connect(server.address()).await.unwrap();
        Self::open_over(tcp, request).await
    }

    /// Opens a WebSocket over a connection with a small receive buffer.
    pub(crate) async fn open_with_small_buffer(server: &TestServer) -> Self {
        let socket = TcpSocket::new_v4().unwrap();
        socket.set_recv_buffer_size(SMALL_BUFFER).unwrap();
        let tcp = socket.connect(server.address()).await.unwrap();
        Self::open_over(tcp, url(server).into_client_request().unwrap())
            .await
            .unwrap()
    }

    async fn open_over(tcp: TcpStream, request: Request<()>) -> Result<Self, u16> {
        match within("the handshake", client_async(request, tcp)).await {
            Ok((websocket, _)) => {
                let mut socket = Self(websocket);
                assert!(socket.next().await.unwrap().starts_with("0{"));
                Ok(socket)
            }
            Err(Error::Http(response)) => Err(response.status().as_u16()),
            Err(other) => panic!("{other}"),
        }
    }

    /// Opens a WebSocket that offers subprotocols. Returns the one that was answered.
    pub(crate) async fn open_with_subprotocols(
        server: &TestServer,
        offered: &str,
    ) -> Option<String> {
        let mut request = url(server).into_client_request().unwrap();
        let name = "sec-websocket-protocol";
        request.headers_mut().insert(name, offered.parse().unwrap());
        let tcp = TcpStream::connect(server.address()).await.unwrap();
        let (_, response) = client_async(request, tcp).await.unwrap();
        let answered = response.headers().get(name)?;
        Some(answered.to_str().unwrap().to_owned())
    }

    /// Opens a WebSocket, and waits for the open packet.
    pub(crate) async fn open(server: &TestServer) -> Self {
        Self::open_with(server, &[]).await.unwrap()
    }

    /// Opens a WebSocket, and connects: sends `auth` with a token, and reads no packet after the
    /// acknowledgement.
    pub(crate) async fn connect(
        server: &TestServer,
        role: Role,
        user: &str,
        mut auth: Value,
    ) -> Self {
        let mut socket = Self::open(server).await;
        auth["token"] = json!(server.token(role, user));
        socket.send(format!("40{auth}")).await;
        socket.until("40{").await;
        socket
    }

    /// Opens a WebSocket, connects, and reads until `rt:ready`.
    pub(crate) async fn connect_until_ready(
        server: &TestServer,
        role: Role,
        user: &str,
        auth: Value,
    ) -> Self {
        let mut socket = Self::connect(server, role, user, auth).await;
        socket.until("42[\"rt:ready\"").await;
        socket
    }

    /// Waits for the next ping, and answers it. Drops all other packets.
    pub(crate) async fn answer_a_ping(&mut self) {
        within("a ping", async {
            while self.0.next().await.unwrap().unwrap() != Message::text("2") {}
            self.send("3").await;
        })
        .await;
    }

    /// Returns the local address, by which the server's end can be found.
    pub(crate) fn local_address(&self) -> SocketAddr {
        self.0.get_ref().local_addr().unwrap()
    }

    pub(crate) async fn send(&mut self, text: impl Into<String>) {
        self.0.send(Message::text(text.into())).await.unwrap();
    }

    /// Sends packets in one write.
    pub(crate) async fn send_at_once(&mut self, packets: &[&str]) {
        assert!(self.try_send_at_once(packets).await);
    }

    /// Sends packets in one write. Returns false if the server has closed the connection.
    pub(crate) async fn try_send_at_once(&mut self, packets: &[&str]) -> bool {
        let messages = packets.iter().map(|packet| Ok(Message::text(*packet)));
        // Collected, so that the future holds no closure: it may be spawned then.
        let messages: Vec<_> = messages.collect();
        self.0.send_all(&mut stream::iter(messages)).await.is_ok()
    }

    /// Sends messages and control frames in one write.
    pub(crate) async fn send_all(&mut self, messages: Vec<Message>) {
        for message in messages {
            self.0.feed(message).await.unwrap();
        }
        self.0.flush().await.unwrap();
    }

    /// Ends what the client sends: the server reads the end of the TCP connection.
    pub(crate) async fn finish_writing(&mut self) {
        self.0.get_mut().shutdown().await.unwrap();
    }

    /// Sends a ping of WebSocket itself. Returns false if the server has closed the connection.
    pub(crate) async fn try_send_ping(&mut self) -> bool {
        self.0.send(Message::Ping("ping".into())).await.is_ok()
    }

    pub(crate) async fn send_bytes(&mut self, bytes: &'static [u8]) {
        self.0.send(Message::binary(bytes)).await.unwrap();
    }

    /// Sends a packet. Returns false if the server has closed the connection.
    pub(crate) async fn try_send(&mut self, text: impl Into<String>) -> bool {
        self.0.send(Message::text(text.into())).await.is_ok()
    }

    /// Returns the next packet that is not a ping, or `None` at the end of the connection. Answers
    /// pings.
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

    /// Reads packets up to one that begins with `prefix`, and returns that. Answers pings.
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

    /// Returns all packets up to the end of the connection. Answers pings.
    pub(crate) async fn rest(&mut self) -> Vec<String> {
        let mut packets = Vec::new();
        while let Some(packet) = self.next().await {
            packets.push(packet);
        }
        packets
    }
}

fn url(server: &TestServer) -> String {
    let address = server.address();
    format!("ws://{address}/socket.io/?EIO=4&transport=websocket")
}

/// A complete HTTP response.
pub(crate) struct HttpResponse {
    pub(crate) status: u16,
    /// Status line and headers, in lower case.
    pub(crate) head: String,
    pub(crate) body: String,
}

/// Sends one request over a new connection, and returns the response.
pub(crate) async fn http(
    server: &TestServer,
    request_line: &str,
    headers: &str,
    body: &str,
) -> HttpResponse {
    let length = body.len();
    let headers = format!("Host: x\r\nContent-Length: {length}\r\n{headers}");
    send(
        server,
        &format!("{request_line} HTTP/1.1\r\n{headers}"),
        body,
    )
    .await
}

/// Sends one request without a body. The headers name the host.
pub(crate) async fn http_of_host(
    server: &TestServer,
    request_line: &str,
    headers: &str,
) -> HttpResponse {
    send(server, &format!("{request_line} HTTP/1.1\r\n{headers}"), "").await
}

/// Sends one request over a new connection, which closes after the answer.
async fn send(server: &TestServer, head: &str, body: &str) -> HttpResponse {
    let mut tcp = TcpStream::connect(server.address()).await.unwrap();
    let request = format!("{head}Connection: close\r\n\r\n{body}");
    tcp.write_all(request.as_bytes()).await.unwrap();
    let mut response = Vec::new();
    within("a response", tcp.read_to_end(&mut response))
        .await
        .unwrap();
    let response = String::from_utf8_lossy(&response).into_owned();
    let (head, body) = response.split_once("\r\n\r\n").unwrap_or((&response, ""));
    let status = head
        .split(' ')
        .nth(1)
        .and_then(|status| status.parse().ok())
        .unwrap_or(0);
    HttpResponse {
        status,
        head: head.to_lowercase(),
        body: body.to_owned(),
    }
}

/// Makes a polling handshake.
pub(crate) async fn open_polling(server: &TestServer, headers: &str) -> HttpResponse {
    http(
        server,
        "GET /socket.io/?EIO=4&transport=polling",
        headers,
        "",
    )
    .await
}

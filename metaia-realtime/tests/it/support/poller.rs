//! A polling client that sends one raw request at a time.

use std::net::SocketAddr;

use metaia_realtime::{
    Role,
    testing::{TestServer, within},
};
use serde_json::json;
use tokio::{
    io::AsyncWriteExt as _,
    net::{TcpSocket, TcpStream},
};

use super::raw_socket::{HttpResponse, RawSocket, SMALL_BUFFER, http, open_polling};

/// An Engine.IO session over polling.
pub(crate) struct Poller {
    address: SocketAddr,
    path: String,
}

impl Poller {
    /// Makes the handshake.
    pub(crate) async fn open(server: &TestServer) -> Self {
        Self::open_with(server, "").await
    }

    /// Makes the handshake with these headers.
    pub(crate) async fn open_with(server: &TestServer, headers: &str) -> Self {
        let opened = open_polling(server, headers).await.body;
        let sid = opened.split('"').nth(3).unwrap();
        let path = format!("/socket.io/?EIO=4&transport=polling&sid={sid}");
        Self {
            address: server.address(),
            path,
        }
    }

    /// Uses `name` as the query parameter `transport` from now on.
    pub(crate) fn with_transport_name(self, name: &str) -> Self {
        Self {
            path: self
                .path
                .replace("transport=polling", &format!("transport={name}")),
            ..self
        }
    }

    /// Makes the handshake, connects, and polls until `rt:ready`.
    pub(crate) async fn connect_until_ready(server: &TestServer, role: Role, user: &str) -> Self {
        let phone = Self::open(server).await;
        let auth = json!({ "token": server.token(role, user) });
        phone.post(server, &format!("40{auth}")).await;
        within("rt:ready", async {
            while !phone.get(server).await.body.contains("rt:ready") {}
        })
        .await;
        phone
    }

    pub(crate) async fn get(&self, server: &TestServer) -> HttpResponse {
        http(server, &format!("GET {}", self.path), "", "").await
    }

    pub(crate) async fn post(&self, server: &TestServer, body: &str) -> HttpResponse {
        http(
            server,
            &format!("POST {}", self.path),
            "Content-Type: text/plain\r\n",
            body,
        )
        .await
    }

    /// Sends the head of a POST of `length` bytes, but only `some` of its body.
    pub(crate) async fn begin_post(&self, length: usize, some: &str) -> TcpStream {
        let mut tcp = TcpStream::connect(self.address).await.unwrap();
        let head = format!(
            "POST {} HTTP/1.1\r\nHost: x\r\nContent-Length: {length}",
            self.path
        );
        tcp.write_all(format!("{head}\r\nContent-Type: text/plain\r\n\r\n{some}").as_bytes())
            .await
            .unwrap();
        tcp
    }

    /// Sends a GET, and waits until its response begins, without reading it.
    pub(crate) async fn get_without_reading(&self) -> TcpStream {
        let socket = TcpSocket::new_v4().unwrap();
        socket.set_recv_buffer_size(SMALL_BUFFER).unwrap();
        let mut tcp = socket.connect(self.address).await.unwrap();
        tcp.write_all(format!("GET {} HTTP/1.1\r\nHost: x\r\n\r\n", self.path).as_bytes())
            .await
            .unwrap();
        within("the response", tcp.readable()).await.unwrap();
        tcp
    }

    /// Polls until a packet begins with `prefix`, and returns all packets. Answers pings.
    pub(crate) async fn receive_until(&self, server: &TestServer, prefix: &str) -> Vec<String> {
        let mut received = Vec::new();
        within(prefix, async {
            while !received
                .iter()
                .any(|packet: &String| packet.starts_with(prefix))
            {
                let answer = self.get(server).await;
                assert_eq!(answer.status, 200, "{}", answer.body);
                received.extend(answer.body.split('\u{1e}').map(str::to_owned));
                if received.iter().any(|packet| packet == "2") {
                    self.post(server, "3").await;
                    received.retain(|packet| packet != "2");
                }
            }
        })
        .await;
        received
    }

    /// Returns path and query of the session's polls.
    pub(crate) fn path(&self) -> &str {
        &self.path
    }

    /// Returns path and query of the session's WebSocket.
    pub(crate) fn websocket_path(&self) -> String {
        self.path.replace("polling", "websocket")
    }

    /// Opens the WebSocket of an upgrade.
    pub(crate) async fn open_websocket(&self) -> RawSocket {
        let opened = self.try_open_websocket().await;
        opened.expect("the server refuses the WebSocket")
    }

    /// Opens the WebSocket of an upgrade, unless the server refuses it.
    pub(crate) async fn try_open_websocket(&self) -> Option<RawSocket> {
        let url = format!("ws://{}{}", self.address, self.websocket_path());
        let tcp = TcpStream::connect(self.address).await.unwrap();
        let (websocket, _) = tokio_tungstenite::client_async(url, tcp).await.ok()?;
        Some(RawSocket::new(websocket))
    }

    /// Upgrades to a WebSocket, and returns that.
    pub(crate) async fn upgrade(self, server: &TestServer) -> RawSocket {
        let mut socket = self.open_websocket().await;
        socket.send("2probe").await;
        self.get(server).await;
        socket.until("3probe").await;
        socket.send("5").await;
        socket
    }
}

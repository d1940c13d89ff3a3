//! A client that polls, one raw request at a time.

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

use crate::support::raw_socket::{Answer, Line, NARROW, http, open_polling};

pub(crate) struct Poller {
    address: SocketAddr,
    path: String,
}

impl Poller {
    pub(crate) async fn open(server: &TestServer) -> Self {
        let opened = open_polling(server, "").await.body;
        let sid = opened.split('"').nth(3).unwrap();
        let path = format!("/socket.io/?EIO=4&transport=polling&sid={sid}");
        Self {
            address: server.address(),
            path,
        }
    }

    /// The same, named otherwise.
    pub(crate) fn of_transport(self, name: &str) -> Self {
        Self {
            path: self
                .path
                .replace("transport=polling", &format!("transport={name}")),
            ..self
        }
    }

    /// A connected one, after `rt:ready`.
    pub(crate) async fn connect(server: &TestServer, role: Role, user: &str) -> Self {
        let phone = Self::open(server).await;
        phone
            .post(
                server,
                &format!("40{}", json!({ "token": server.token(role, user) })),
            )
            .await;
        within("rt:ready", async {
            while !phone.get(server).await.body.contains("rt:ready") {}
        })
        .await;
        phone
    }

    pub(crate) async fn get(&self, server: &TestServer) -> Answer {
        http(server, &format!("GET {}", self.path), "", "").await
    }

    pub(crate) async fn post(&self, server: &TestServer, body: &str) -> Answer {
        http(
            server,
            &format!("POST {}", self.path),
            "Content-Type: text/plain\r\n",
            body,
        )
        .await
    }

    /// A POST of `length` bytes of which only `some` come.
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

    /// A GET whose answer has begun, and which nobody reads.
    pub(crate) async fn ask_without_reading(&self) -> TcpStream {
        let socket = TcpSocket::new_v4().unwrap();
        socket.set_recv_buffer_size(NARROW).unwrap();
        let mut tcp = socket.connect(self.address).await.unwrap();
        tcp.write_all(format!("GET {} HTTP/1.1\r\nHost: x\r\n\r\n", self.path).as_bytes())
            .await
            .unwrap();
        within("the answer", tcp.readable()).await.unwrap();
        tcp
    }

    /// The WebSocket that it upgrades to.
    pub(crate) async fn upgrade(self, server: &TestServer) -> Line {
        let url = format!(
            "ws://{}{}",
            self.address,
            self.path.replace("polling", "websocket")
        );
        let tcp = TcpStream::connect(self.address).await.unwrap();
        let mut line = Line::of(tokio_tungstenite::client_async(url, tcp).await.unwrap().0);
        line.send("2probe").await;
        self.get(server).await;
        line.until("3probe").await;
        line.send("5").await;
        line
    }
}

//! Clients that cannot be moved to their WebSocket.

use std::sync::Arc;

use futures_util::{SinkExt as _, StreamExt as _};
use serde_json::json;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};
use tokio_tungstenite::{WebSocketStream, client_async, tungstenite::Message};

use crate::{
    Role,
    testing::{TestServer, eventually, within},
    transport::socketio::{engine_service::PATH, link::Link},
};

/// A client that polls only when the test says so.
struct Poller<'a> {
    server: &'a TestServer,
    path: String,
}

impl<'a> Poller<'a> {
    async fn connect(server: &'a TestServer, user: &str) -> Self {
        let path = format!("{PATH}/?EIO=4&transport=polling");
        let mut poller = Self { server, path };
        let opened = poller.request("GET", "").await;
        let sid = opened.split('"').nth(3).unwrap();
        poller.path.push_str(&format!("&sid={sid}"));
        let auth = json!({ "token": server.token(Role::Customer, user) });
        poller.request("POST", &format!("40{auth}")).await;
        within("rt:ready", async {
            while !poller.request("GET", "").await.contains("rt:ready") {}
        })
        .await;
        poller
    }

    /// Sends a request over a connection of its own. Returns the body of the answer.
    async fn request(&self, method: &str, body: &str) -> String {
        let mut tcp = TcpStream::connect(self.server.address()).await.unwrap();
        let length = body.len();
        let path = &self.path;
        let head = format!("{method} {path} HTTP/1.1\r\nHost: x\r\nContent-Length: {length}");
        let request = format!("{head}\r\nConnection: close\r\n\r\n{body}");
        tcp.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        tcp.read_to_string(&mut answer).await.unwrap();
        let (_, body) = answer.split_once("\r\n\r\n").unwrap();
        body.to_owned()
    }

    /// Opens a WebSocket, and probes it.
    async fn probe(&self) -> WebSocketStream<TcpStream> {
        let tcp = TcpStream::connect(self.server.address()).await.unwrap();
        let path = self.path.replace("polling", "websocket");
        let url = format!("ws://{}{path}", self.server.address());
        let (mut websocket, _) = client_async(url, tcp).await.unwrap();
        websocket.send(Message::text("2probe")).await.unwrap();
        let answer = websocket.next().await.unwrap().unwrap();
        assert_eq!(answer, Message::text("3probe"));
        websocket
    }
}

/// Returns all texts up to the end of a connection.
async fn rest(mut websocket: WebSocketStream<TcpStream>) -> Vec<String> {
    let mut texts = Vec::new();
    while let Some(Ok(message)) = within("a message", websocket.next()).await {
        if let Message::Text(text) = message {
            texts.push(text.to_string());
        }
    }
    texts
}

fn only_link(server: &TestServer) -> Arc<Link> {
    server.realtime().engine().links.all().pop().unwrap()
}

/// A client that polls while it switches may have packets that are not counted yet.
#[tokio::test]
async fn a_move_that_cannot_be_still_tells_the_client_why_its_session_has_ended() {
    let server = TestServer::start(|builder| builder).await;
    let poller = Poller::connect(&server, "c1").await;
    let mut websocket = poller.probe().await;
    only_link(&server).hand_over(None);
    let user = "c1".parse().unwrap();
    server.realtime().disconnect_user(&user).await.unwrap();
    websocket.send(Message::text("5")).await.unwrap();
    let told = rest(websocket).await;
    assert_eq!(told, [r#"42["rt:end",{"code":"kicked"}]"#, "41"]);
    eventually("the end of the link", || {
        server.realtime().engine().links() == 0
    })
    .await;
}

#[tokio::test]
async fn a_move_that_cannot_be_ends_the_session() {
    let server = TestServer::start(|builder| builder).await;
    let poller = Poller::connect(&server, "c1").await;
    let mut websocket = poller.probe().await;
    only_link(&server).hand_over(None);
    websocket.send(Message::text("5")).await.unwrap();
    assert_eq!(rest(websocket).await, Vec::<String>::new());
    eventually("the end of the session", || {
        let census = server.realtime().census();
        (census.sessions, census.links) == (0, 0)
    })
    .await;
}

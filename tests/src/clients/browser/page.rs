//! A web server with one page, on which the official Socket.IO client is loaded.

use std::sync::Arc;

use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

use crate::server::paths;

const PAGE: &str = "<!doctype html><title>app</title><script src=/client.js></script>";

/// A server of the page. Dropping it stops the server.
#[derive(Debug)]
pub struct PageServer {
    port: u16,
    serving: JoinHandle<()>,
}

impl PageServer {
    /// Starts the server.
    pub async fn start() -> Self {
        let file = paths::js().join("node_modules/socket.io-client/dist/socket.io.min.js");
        let client: Arc<str> = std::fs::read_to_string(file).expect("the client").into();
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let serving = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let client = Arc::clone(&client);
                tokio::spawn(async move { answer(stream, &client).await });
            }
        });
        Self { port, serving }
    }

    /// Returns the origin of the page under the name of this host.
    #[must_use]
    pub fn origin(&self, host: &str) -> String {
        format!("http://{host}:{}", self.port)
    }
}

impl Drop for PageServer {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

/// Answers one request, and closes the connection.
async fn answer(mut stream: TcpStream, client: &str) -> Option<()> {
    let mut lines = BufReader::new(&mut stream).lines();
    let request = lines.next_line().await.ok()??;
    while !lines.next_line().await.ok()??.is_empty() {}
    let (kind, body) = match request.split(' ').nth(1)? {
        "/client.js" => ("text/javascript", client),
        _ => ("text/html", PAGE),
    };
    let length = body.len();
    let head = format!(
        "HTTP/1.1 200 OK\r\ncontent-type: {kind}\r\ncontent-length: {length}\r\n\
         connection: close\r\n\r\n"
    );
    stream.write_all(head.as_bytes()).await.ok()?;
    stream.write_all(body.as_bytes()).await.ok()?;
    stream.shutdown().await.ok()
}

//! A connection that is kept alive for the requests of a polling client.

use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;

use super::wire::{connect, response};

/// The path of Engine.IO over polling.
pub(super) const POLLING: &str = "/socket.io/?EIO=4&transport=polling";

/// An HTTP/1.1 connection with one request at a time.
#[derive(Debug)]
pub(super) struct HttpLink {
    stream: TcpStream,
    port: u16,
    bytes: Vec<u8>,
}

impl HttpLink {
    /// Connects.
    pub(super) async fn connect(port: u16) -> Self {
        Self {
            stream: connect(port).await,
            port,
            bytes: Vec::new(),
        }
    }

    /// Sends a GET without waiting for its response.
    pub(super) async fn start_get(&mut self, path: &str) {
        let port = self.port;
        let request = format!("GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n\r\n");
        self.write(&request).await;
    }

    /// Sends a GET and returns the body of its response.
    pub(super) async fn get(&mut self, path: &str) -> String {
        self.start_get(path).await;
        self.response().await
    }

    /// Sends packets by a POST, and waits for its response.
    pub(super) async fn post(&mut self, path: &str, body: &str) {
        let port = self.port;
        let size = body.len();
        let request = format!(
            "POST {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n\
             Content-Type: text/plain;charset=UTF-8\r\nContent-Length: {size}\r\n\r\n{body}"
        );
        self.write(&request).await;
        self.response().await;
    }

    /// Waits for a response, which must be a 200, and returns its body.
    pub(super) async fn response(&mut self) -> String {
        let response = response(&mut self.stream, &mut self.bytes).await;
        assert_eq!(response.status, 200, "{response:?}");
        self.bytes.drain(..response.length);
        response.body
    }

    async fn write(&mut self, request: &str) {
        let written = self.stream.write_all(request.as_bytes()).await;
        written.expect("write");
    }
}

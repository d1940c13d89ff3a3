//! The host of an issuer's keys, in good and bad states.

use std::future::pending;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use tokio::io::AsyncWriteExt;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

use super::stub::read_head;
use crate::fixtures::issuer::{IssuerKey, key_set};

/// A host of keys. It ends with the value.
#[derive(Debug)]
pub struct KeyHost {
    port: u16,
    state: Arc<State>,
    task: Option<JoinHandle<()>>,
}

#[derive(Debug)]
struct State {
    answer: Mutex<KeyAnswer>,
    asked: AtomicUsize,
}

/// The answer of a host to every request.
#[derive(Debug, Clone)]
pub enum KeyAnswer {
    /// It sends this document.
    Document(String),
    /// It sends this status.
    Status(u16),
    /// It sends 10 MB.
    Long,
    /// It sends and never ends.
    Endless,
    /// It sends nothing.
    Silent,
    /// It sends the client to this address.
    Redirect(String),
}

impl KeyHost {
    /// Starts a host that publishes these keys.
    pub async fn publishing(keys: &[&IssuerKey]) -> Self {
        let mut host = Self {
            port: 0,
            state: Arc::new(State {
                answer: Mutex::new(KeyAnswer::Document(key_set(keys))),
                asked: AtomicUsize::new(0),
            }),
            task: None,
        };
        host.start().await;
        host
    }

    /// Returns the address of the keys.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}/keys", self.port)
    }

    /// Publishes these keys from now on.
    pub fn publish(&self, keys: &[&IssuerKey]) {
        self.answer(KeyAnswer::Document(key_set(keys)));
    }

    /// Answers like this from now on.
    pub fn answer(&self, answer: KeyAnswer) {
        *self.state.answer.lock().expect("no panic") = answer;
    }

    /// Returns how often the host was asked.
    #[must_use]
    pub fn asked(&self) -> usize {
        self.state.asked.load(Ordering::SeqCst)
    }

    /// Ends the host: its port refuses connections.
    pub async fn kill(&mut self) {
        if let Some(task) = self.task.take() {
            task.abort();
            task.await.ok();
        }
    }

    /// Starts the host, on the same port as before.
    pub async fn start(&mut self) {
        let listener = TcpListener::bind(("127.0.0.1", self.port)).await;
        let listener = listener.expect("a port");
        self.port = listener.local_addr().expect("an address").port();
        let state = Arc::clone(&self.state);
        self.task = Some(tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let answer = state.answer.lock().expect("no panic").clone();
                state.asked.fetch_add(1, Ordering::SeqCst);
                tokio::spawn(answer.write(client));
            }
        }));
    }
}

impl Drop for KeyHost {
    fn drop(&mut self) {
        if let Some(task) = &self.task {
            task.abort();
        }
    }
}

impl KeyAnswer {
    async fn write(self, mut client: TcpStream) {
        if read_head(&mut client).await.is_none() {
            return;
        }
        let whole = |status: u16, headers: &str, body: &str| {
            let length = body.len();
            format!(
                "HTTP/1.1 {status} Status\r\ncontent-length: {length}\r\nconnection: close\r\n\
                 {headers}\r\n{body}"
            )
        };
        let answer = match self {
            Self::Document(text) => whole(200, "", &text),
            Self::Status(status) => whole(status, "", ""),
            Self::Long => whole(200, "", &" ".repeat(10_000_000)),
            Self::Redirect(to) => whole(302, &format!("location: {to}\r\n"), ""),
            Self::Endless => return write_for_ever(client).await,
            Self::Silent => return pending().await,
        };
        client.write_all(answer.as_bytes()).await.ok();
        client.shutdown().await.ok();
    }
}

async fn write_for_ever(mut client: TcpStream) {
    let head = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n";
    let chunk = format!("1000\r\n{}\r\n", " ".repeat(4_096));
    let mut is_open = client.write_all(head.as_bytes()).await.is_ok();
    while is_open {
        is_open = client.write_all(chunk.as_bytes()).await.is_ok();
    }
}

//! A stand-in for Razorpay's API: it answers `POST …/orders` as their documents show, and remembers what it was asked.

use std::net::SocketAddr;

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use crate::journal::Journal;

/// How it answers.
#[derive(Debug, Clone, Copy)]
pub enum Mood {
    /// Orders are opened.
    Working,
    /// Every request is refused as with wrong credentials.
    Refusing,
    /// Every request meets an error of theirs.
    Failing,
    /// It hangs up without an answer.
    Silent,
}

/// The stand-in, until the test ends.
#[derive(Debug)]
pub struct Provider {
    address: SocketAddr,
    /// What it was asked.
    pub requests: Journal<Request>,
}

/// What it was asked.
#[derive(Debug, Clone)]
pub struct Request {
    /// Request line and headers.
    pub head: String,
    /// The body.
    pub body: Value,
}

impl Provider {
    /// Starts it on a port of its own.
    pub async fn start(mood: Mood) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let requests = Journal::default();
        let journal = requests.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let _ = answer(stream, mood, &journal).await;
            }
        });
        Self { address, requests }
    }

    /// What `RAZORPAY_URL` is set to.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }
}

async fn answer(mut stream: TcpStream, mood: Mood, journal: &Journal<Request>) -> std::io::Result<()> {
    let request = read(&mut stream).await?;
    let order = json!({
        "id": format!("order_{}", journal.so_far().len()),
        "entity": "order",
        "amount": request.body["amount"],
        "amount_paid": 0,
        "amount_due": request.body["amount"],
        "currency": request.body["currency"],
        "receipt": request.body["receipt"],
        "offer_id": null,
        "status": "created",
        "attempts": 0,
        "notes": [],
        "created_at": 1_764_000_000,
    });
    journal.push(request);
    let (status, body) = match mood {
        Mood::Working => ("200 OK", order),
        Mood::Refusing => ("401 Unauthorized", problem("BAD_REQUEST_ERROR", "Authentication failed")),
        Mood::Failing => ("500 Internal Server Error", problem("SERVER_ERROR", "We are facing some trouble")),
        Mood::Silent => return Ok(()),
    };
    let body = body.to_string();
    let length = body.len();
    let head = format!("HTTP/1.1 {status}\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n");
    stream.write_all(format!("{head}connection: close\r\n\r\n{body}").as_bytes()).await
}

fn problem(code: &str, description: &str) -> Value {
    json!({"error": {"code": code, "description": description, "source": "NA", "step": "NA", "reason": "NA"}})
}

async fn read(stream: &mut TcpStream) -> std::io::Result<Request> {
    let mut bytes = Vec::new();
    loop {
        let text = String::from_utf8_lossy(&bytes).into_owned();
        if let Some((head, body)) = text.split_once("\r\n\r\n")
            && body.len() >= content_length(head)
        {
            let body = serde_json::from_str(body).unwrap_or_default();
            return Ok(Request { head: head.to_owned(), body });
        }
        if stream.read_buf(&mut bytes).await? == 0 {
            return Err(std::io::ErrorKind::UnexpectedEof.into());
        }
    }
}

fn content_length(head: &str) -> usize {
    let lines = head.lines().filter_map(|line| line.split_once(':'));
    let mut lengths = lines.filter(|(name, _)| name.eq_ignore_ascii_case("content-length"));
    lengths.next().and_then(|(_, length)| length.trim().parse().ok()).unwrap_or(0)
}

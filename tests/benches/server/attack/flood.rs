//! Attacks by requests of HTTP. Each of their connections is opened again when the server closes
//! it.

use std::net::Ipv4Addr;
use std::time::Duration;

use futures_util::future::join_all;
use metaia_tests::fixtures::{order_body, token::token};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::interval;

use super::program::begun;
use crate::cluster::wait;
use crate::crowd::connect_from;

const HELD: usize = 5_000;
/// The bytes of a head that does not end.
const HEAD: usize = 8 * 1024;
/// Requests a second that are no handshake, on two connections, in steps of 10 ms.
const REFUSED_PER_S: usize = 10_000;
const REFUSING: usize = 2;
const STEP: Duration = Duration::from_millis(10);
/// Connections that ask for lists and read nothing.
const UNREAD: usize = 800;
/// Customers that place orders, and their connections each.
const CUSTOMERS: usize = 8;
const CUSTOMERS_CONNECTIONS: usize = 4;
const TAILORS_CONNECTIONS: usize = 16;
/// The pause before a connection is opened again.
const PAUSE: Duration = Duration::from_millis(100);
/// The number of requests that are written at once.
const PIPELINED: usize = 8;
/// The number of connections from one address.
const PER_ADDRESS: usize = 1_000;

pub(super) async fn hold_heads(port: u16) {
    let head = format!(
        "GET /socket.io/ HTTP/1.1\r\nHost: a\r\nX-A: {}",
        "a".repeat(HEAD)
    );
    begun();
    let held = (0..HELD).map(|number| {
        again(port, number, async |stream| {
            stream.write_all(head.as_bytes()).await?;
            discard(stream).await
        })
    });
    join_all(held).await;
}

pub(super) async fn send_no_handshakes(port: u16) {
    let request =
        "PUT /socket.io/?EIO=4&transport=polling HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n";
    let in_a_step = REFUSED_PER_S / REFUSING / 100;
    let requests = request.repeat(in_a_step);
    begun();
    let connections = (0..REFUSING).map(|number| {
        again(port, number, async |stream| {
            let (mut reads, mut writes) = stream.split();
            let writing = async {
                let mut pace = interval(STEP);
                loop {
                    pace.tick().await;
                    writes.write_all(requests.as_bytes()).await?;
                }
            };
            tokio::select! {
                ended = writing => ended,
                ended = discard(&mut reads) => ended,
            }
        })
    });
    join_all(connections).await;
}

pub(super) async fn list_orders(port: u16) {
    let request = request(
        "GET",
        "/api/orders?limit=100",
        &token("customer", "lists"),
        "",
    );
    begun();
    let connections = (0..UNREAD).map(|number| {
        again(port, number, async |stream| {
            stream
                .write_all(request.repeat(PIPELINED).as_bytes())
                .await?;
            // It reads nothing until the server closes the connection.
            loop {
                wait(PAUSE).await;
                stream.write_all(request.as_bytes()).await?;
            }
        })
    });
    join_all(connections).await;
}

pub(super) async fn place_orders(port: u16) {
    let mut body = order_body();
    body["tailor"] = "notified".into();
    let body = body.to_string();
    let requests = (0..CUSTOMERS).flat_map(|customer| {
        let token = token("customer", &format!("flood-{customer}"));
        let request = request("POST", "/api/orders", &token, &body);
        vec![request; CUSTOMERS_CONNECTIONS]
    });
    send_again(port, requests.collect()).await;
}

pub(super) async fn change_status(port: u16) {
    let token = token("tailor", "attacker");
    let request = request(
        "PUT",
        "/api/tailors/me/status",
        &token,
        r#"{"status":"busy"}"#,
    );
    send_again(port, vec![request; TAILORS_CONNECTIONS]).await;
}

/// Sends each of these requests again and again, on a connection of its own.
async fn send_again(port: u16, requests: Vec<String>) {
    begun();
    let connections = requests.iter().enumerate().map(|(number, request)| {
        again(port, number, async |stream| {
            let (mut reads, mut writes) = stream.split();
            let requests = request.repeat(PIPELINED);
            let writing = async {
                loop {
                    writes.write_all(requests.as_bytes()).await?;
                }
            };
            tokio::select! {
                ended = writing => ended,
                ended = discard(&mut reads) => ended,
            }
        })
    });
    join_all(connections).await;
}

fn request(method: &str, path: &str, token: &str, body: &str) -> String {
    let length = body.len();
    format!(
        "{method} {path} HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {token}\r\n\
         Content-Type: application/json\r\nContent-Length: {length}\r\n\r\n{body}"
    )
}

/// Opens the connection of this number, and again whenever the use of it has ended.
async fn again(
    port: u16,
    number: usize,
    mut using: impl AsyncFnMut(&mut TcpStream) -> std::io::Result<()>,
) {
    loop {
        if let Ok(mut stream) = connect_from(address(number), port).await {
            // Its end is what the server wants.
            let _ = using(&mut stream).await;
        }
        wait(PAUSE).await;
    }
}

/// Reads until the server closes the connection.
async fn discard(reads: &mut (impl tokio::io::AsyncRead + Unpin)) -> std::io::Result<()> {
    let mut bytes = vec![0; 16 * 1024];
    while reads.read(&mut bytes).await? > 0 {}
    Ok(())
}

/// Returns an address of this machine that only attackers have.
pub(super) fn address(number: usize) -> Ipv4Addr {
    let last = u8::try_from(1 + number / PER_ADDRESS).unwrap_or(u8::MAX);
    Ipv4Addr::new(127, 0, 66, last)
}

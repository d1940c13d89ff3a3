//! The ways in which clients connect: by WebSocket at once, or as most official clients do by
//! default.

use std::io;
use std::ops::Range;
use std::sync::Arc;

use futures_util::{StreamExt as _, stream};
use metaia_tests::eventually::within;
use metaia_tests::fixtures::token::token;
use serde_json::{Value, json};
use tokio::net::TcpStream;

use super::http_link::{HttpLink, POLLING};
use super::members::{Arrival, Arrivals};
use super::wire::{self, Refusal, Wire};

/// The number of clients that connect at the same time.
const MAX_CONNECTING: usize = 64;
const STAYS_OPEN: &str = "a connection that is being opened stays open";
/// Stands between two packets in the body of a poll.
const SEPARATOR: char = '\u{1e}';

/// The way in which a client opens its connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Opening {
    /// WebSocket from the first request on.
    WebSocket,
    /// Polling, then the upgrade to WebSocket: the default of official clients.
    Upgrade,
}

/// A server's port for clients, how they connect there, and how they know that they are ready.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Door {
    pub(crate) port: u16,
    pub(crate) opening: Opening,
    /// The beginning of a packet. Absent for a plain WebSocket.
    pub(crate) ready: Option<&'static str>,
}

/// Connects these users in the background.
pub(crate) fn connect(door: Door, users: Range<usize>, arrivals: Arc<Arrivals>) {
    tokio::spawn(async move {
        let clients = stream::iter(users).for_each_concurrent(MAX_CONNECTING, |user| {
            let arrivals = Arc::clone(&arrivals);
            async move {
                let opened = within("a client to connect", open(door, user));
                arrivals.add(opened.await);
            }
        });
        clients.await;
    });
}

async fn open(door: Door, user: usize) -> Arrival {
    let Some(ready) = door.ready else {
        let path = format!("/?user={}", name(user));
        let wire = Wire::open(door.port, &path).await;
        return wire.into_arrival().await.expect(STAYS_OPEN);
    };
    match door.opening {
        Opening::WebSocket => {
            let opened = by_websocket(wire::connect(door.port).await, ready, user).await;
            opened.expect("the server admits a client")
        }
        Opening::Upgrade => {
            let opened = by_upgrade(door.port, ready, user).await;
            opened.expect(STAYS_OPEN)
        }
    }
}

/// Connects as this user over this connection, by WebSocket at once, and waits for the packet that
/// begins with `ready`. The error is the server's refusal of the WebSocket, or its end.
pub(crate) async fn by_websocket(
    stream: TcpStream,
    ready: &str,
    user: usize,
) -> Result<Arrival, Refusal> {
    let wire = Wire::over(stream, "/socket.io/?EIO=4&transport=websocket").await?;
    open_session(wire, ready, user)
        .await
        .map_err(Refusal::Broken)
}

async fn open_session(mut wire: Wire, ready: &str, user: usize) -> io::Result<Arrival> {
    wire.until("0").await?;
    wire.send(&connect_packet(user)).await?;
    wire.until(ready).await?;
    wire.into_arrival().await
}

/// Does what the official JavaScript client does, one after the other: a connection for polls and
/// one for packets, then the probe of the WebSocket while a poll waits.
async fn by_upgrade(port: u16, ready: &str, user: usize) -> io::Result<Arrival> {
    let mut polls = HttpLink::connect(port).await;
    let mut posts = HttpLink::connect(port).await;
    let sid = session_id(&polls.get(POLLING).await);
    let path = format!("{POLLING}&sid={sid}");
    posts.post(&path, &connect_packet(user)).await;
    let mut is_ready = false;
    while !is_ready {
        let packets = polls.get(&path).await;
        is_ready = packets
            .split(SEPARATOR)
            .any(|packet| packet.starts_with(ready));
        if has_ping(&packets) {
            posts.post(&path, "3").await;
        }
    }
    polls.start_get(&path).await;
    let path = format!("/socket.io/?EIO=4&transport=websocket&sid={sid}");
    let mut wire = Wire::open(port, &path).await;
    wire.send("2probe").await?;
    wire.until("3probe").await?;
    // The server ends the poll, so that no packet is lost between the two transports.
    let packets = polls.response().await;
    wire.send("5").await?;
    if has_ping(&packets) {
        wire.send("3").await?;
    }
    wire.into_arrival().await
}

fn session_id(packets: &str) -> String {
    let open = packets.split(SEPARATOR).next().unwrap_or_default();
    let open: Value = serde_json::from_str(&open[1..]).expect("an open packet");
    open["sid"].as_str().expect("a session id").to_owned()
}

fn has_ping(packets: &str) -> bool {
    packets.split(SEPARATOR).any(|packet| packet == "2")
}

fn connect_packet(user: usize) -> String {
    let auth = json!({"token": token("customer", &name(user))});
    format!("40{auth}")
}

fn name(user: usize) -> String {
    format!("user-{user}")
}

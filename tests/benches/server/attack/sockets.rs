//! Attacks by clients with tokens.

use std::io;
use std::time::Duration;

use futures_util::future::join_all;
use futures_util::{StreamExt as _, stream};
use metaia_tests::clients::frames::{PING, TEXT, client_frame};
use metaia_tests::fixtures::token::token;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::interval;

use super::flood::address;
use super::program::begun;
use crate::cluster::wait;
use crate::crowd::{Refusal, Wire, connect_from};

const FROZEN: usize = 2_000;
const CONNECTS_PER_S: u64 = 300;
/// Clients that resume at the same time.
const RESUMING: usize = 50;
const JOINING: usize = 400;
/// The pause between two joins of a user: just below the rate at which a session is ended.
const JOIN_PACE: Duration = Duration::from_millis(60);
/// Sessions that send as much as they can.
const FLOODING: usize = 4;
/// The number of frames that are written at once.
const AT_ONCE: usize = 200;
/// The clients that connect at the same time, and the pause after a refusal.
const CONNECTING: usize = 64;
const PAUSE: Duration = Duration::from_millis(200);
const READY: &str = "42[\"rt:ready\"";

pub(super) async fn freeze(port: u16) {
    let connected = stream::iter(0..FROZEN).map(|number| connect_at_last(port, number));
    let frozen: Vec<TcpStream> = connected.buffer_unordered(CONNECTING).collect().await;
    begun();
    std::future::pending::<()>().await;
    drop(frozen);
}

pub(super) async fn connect_and_leave(port: u16) {
    begun();
    let mut connects = JoinSet::new();
    let mut pace = interval(Duration::from_secs(1) / u32::try_from(CONNECTS_PER_S).unwrap_or(1));
    for number in 0.. {
        pace.tick().await;
        connects.spawn(async move { connect(port, number, &json!({})).await.is_ok() });
        while connects.try_join_next().is_some() {}
    }
}

pub(super) async fn resume_again(port: u16, position: &str) {
    begun();
    let since = json!({ "since": position });
    let clients = (0..RESUMING).map(async |number| {
        loop {
            if connect(port, number, &since).await.is_err() {
                wait(PAUSE).await;
            }
        }
    });
    join_all(clients).await;
}

pub(super) async fn join(port: u16, order: &str) {
    let join = format!("42[\"join_order_room\",\"{order}\"]");
    let frame = client_frame(TEXT, join.as_bytes());
    begun();
    let clients = (0..JOINING).map(|number| again(port, number, &frame, Some(JOIN_PACE)));
    join_all(clients).await;
}

pub(super) async fn ping(port: u16) {
    send_all(port, &client_frame(PING, b"")).await;
}

pub(super) async fn send_to_unknown_namespaces(port: u16) {
    send_all(port, &client_frame(TEXT, b"42/nosuch,[\"a\"]")).await;
}

async fn send_all(port: u16, frame: &[u8]) {
    begun();
    let frames = frame.repeat(AT_ONCE);
    join_all((0..FLOODING).map(|number| again(port, number, &frames, None))).await;
}

/// Connects the client of this number, sends the bytes again and again, and connects again whenever
/// the server ends that.
async fn again(port: u16, number: usize, bytes: &[u8], pace: Option<Duration>) {
    loop {
        let mut stream = connect_at_last(port, number).await;
        // Its end is what the server wants.
        let _ = send_again(&mut stream, bytes, pace).await;
    }
}

async fn send_again(
    stream: &mut TcpStream,
    bytes: &[u8],
    pace: Option<Duration>,
) -> io::Result<()> {
    let (mut reads, mut writes) = stream.split();
    let writing = async {
        loop {
            writes.write_all(bytes).await?;
            if let Some(pace) = pace {
                wait(pace).await;
            }
        }
    };
    let reading = async {
        let mut received = vec![0; 16 * 1024];
        while reads.read(&mut received).await? > 0 {}
        Ok(())
    };
    tokio::select! {
        ended = writing => ended,
        ended = reading => ended,
    }
}

async fn connect_at_last(port: u16, number: usize) -> TcpStream {
    loop {
        if let Ok(stream) = connect(port, number, &json!({})).await {
            return stream;
        }
        wait(PAUSE).await;
    }
}

/// Connects with a token and these members beside it, and waits until the client is live.
async fn connect(port: u16, number: usize, auth: &Value) -> Result<TcpStream, Refusal> {
    let user = format!("attacker-{number}");
    let mut auth = auth.clone();
    auth["token"] = token("customer", &user).into();
    let stream = connect_from(address(number), port).await;
    let stream = stream.map_err(Refusal::Broken)?;
    let mut wire = Wire::over(stream, "/socket.io/?EIO=4&transport=websocket").await?;
    wire.send(&format!("40{auth}"))
        .await
        .map_err(Refusal::Broken)?;
    wire.until(READY).await.map_err(Refusal::Broken)?;
    Ok(wire.into_stream())
}

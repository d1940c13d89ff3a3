//! One connection over a stream in memory, which only its task can write, with paused time.

mod flood;
mod fuzz;

use std::convert::Infallible;

use bytes::Bytes;
use http::{Request, Response};
use hyper::{body::Incoming, service::service_fn};
use hyper_util::rt::TokioIo;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _, DuplexStream, duplex},
    sync::mpsc,
    time::timeout,
};
use tokio_util::task::TaskTracker;

use super::{super::line::OpenedConnection, *};
use crate::{session::EndReason, transport::guard::Observer as _};

const SECOND: Duration = Duration::from_secs(1);
const REQUEST: &[u8] =
    b"GET / HTTP/1.1\r\nHost: x\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n";

/// Takes a stream through the handshake of HTTP. Returns it after that.
async fn upgrade(ours: DuplexStream, client: &mut DuplexStream) -> hyper::upgrade::Upgraded {
    let (sender, mut upgrades) = mpsc::channel(1);
    let service = service_fn(move |mut request: Request<Incoming>| {
        sender.try_send(hyper::upgrade::on(&mut request)).ok();
        let response = Response::builder()
            .status(101)
            .header("connection", "upgrade")
            .header("upgrade", "websocket")
            .body(String::new());
        async { Ok::<_, Infallible>(response.unwrap_or_default()) }
    });
    let serving = hyper::server::conn::http1::Builder::new()
        .serve_connection(TokioIo::new(ours), service)
        .with_upgrades();
    TaskTracker::new().spawn(serving);
    client.write_all(REQUEST).await.unwrap();
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(client.read_u8().await.unwrap());
    }
    upgrades.recv().await.unwrap().await.unwrap()
}

/// Both ends of a connection. As many as `capacity` bytes wait between the two.
async fn open(capacity: usize, limits: &Limits) -> (Conversation, DuplexStream) {
    let (ours, mut client) = duplex(capacity);
    let opened = OpenedConnection::new(upgrade(ours, &mut client).await);
    assert!(opened.socket.is_none());
    let connection = Arc::new(DirectConnection::new(opened.socket, &Arc::default()));
    let start = ConversationStart::new(limits);
    let conversation = Conversation::new(connection, opened.line, start, &opened.read, limits);
    conversation.budget.join();
    (conversation, client)
}

/// Limits without pings.
fn limits() -> Limits {
    Limits {
        ping_interval: 10_000 * SECOND,
        ..Limits::default()
    }
}

fn frame(length: usize) -> Bytes {
    text_frame(&"x".repeat(length))
}

#[tokio::test(start_paused = true)]
async fn a_ping_follows_one_interval_after_the_opening_and_after_each_pong() {
    let (mut conversation, mut client) = open(1_024, &Limits::default()).await;
    let start = Instant::now();
    let answering = async {
        let mut ping = [0; 3];
        for seconds in [25, 50] {
            client.read_exact(&mut ping).await.unwrap();
            assert_eq!(ping, [0x81, 1, b'2']);
            assert_eq!(start.elapsed().as_secs(), seconds);
            client
                .write_all(&[0x81, 0x81, 0, 0, 0, 0, b'3'])
                .await
                .unwrap();
        }
        client.read_exact(&mut ping).await.unwrap();
        client
    };
    let listening = async {
        for _ in 0..2 {
            assert_eq!(conversation.next().await, Heard::Packet(ClientPacket::Pong));
        }
        assert_eq!(conversation.next().await, Heard::Lost(Lost::PingTimeout));
        assert_eq!(conversation.next().await, Heard::Lost(Lost::PingTimeout));
    };
    tokio::join!(listening, answering);
    assert_eq!(start.elapsed().as_secs(), 95);
}

/// A node that is busy may look at a connection late. The kernel has the pong by then.
#[tokio::test(start_paused = true)]
async fn a_pong_that_came_in_time_counts_though_it_is_read_late() {
    let (mut conversation, mut client) = open(1_024, &Limits::default()).await;
    let pinged = timeout(30 * SECOND, conversation.next()).await;
    assert!(pinged.is_err(), "only the ping was due");
    client
        .write_all(&[0x81, 0x81, 0, 0, 0, 0, b'3'])
        .await
        .unwrap();
    tokio::time::sleep(60 * SECOND).await;
    assert_eq!(conversation.next().await, Heard::Packet(ClientPacket::Pong));
    assert_eq!(conversation.next().await, Heard::Lost(Lost::PingTimeout));
}

/// A task that has done much since it was polled is told "not ready" by everything that it polls,
/// also by a stream that has the pong.
#[tokio::test(start_paused = true)]
async fn a_pong_that_came_in_time_counts_however_much_its_task_has_done() {
    for done in 100..130 {
        let (mut conversation, mut client) = open(1_024, &Limits::default()).await;
        let pinged = timeout(30 * SECOND, conversation.next()).await;
        assert!(pinged.is_err(), "only the ping was due");
        let pong = [0x81, 0x81, 0, 0, 0, 0, b'3'];
        client.write_all(&pong).await.unwrap();
        tokio::time::sleep(60 * SECOND).await;
        tokio::task::yield_now().await;
        for _ in 0..done {
            tokio::task::coop::consume_budget().await;
        }
        let heard = conversation.next().await;
        assert_eq!(heard, Heard::Packet(ClientPacket::Pong), "after {done}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_client_that_takes_nothing_is_slow_and_one_that_takes_little_is_not() {
    let (mut conversation, mut client) = open(1_024, &limits()).await;
    conversation
        .connection
        .send(frame(60_000), FrameKind::Packet);
    let mut bytes = [0; 600];
    let reading = async {
        for _ in 0..20 {
            tokio::time::sleep(10 * SECOND).await;
            client.read_exact(&mut bytes).await.unwrap();
        }
        Instant::now()
    };
    let (heard, stopped_at) = tokio::join!(conversation.next(), reading);
    assert_eq!(heard, Heard::Lost(Lost::Slow));
    assert_eq!(stopped_at.elapsed(), Limits::default().write_stall);
}

/// A poll that a client has left behind stalls after the client has moved to its WebSocket.
#[tokio::test(start_paused = true)]
async fn the_reason_for_which_another_connection_loses_this_one_is_kept() {
    let (mut conversation, client) = open(1_024, &limits()).await;
    conversation.connection.lose(EndReason::Slow);
    conversation.connection.lose(EndReason::TransportLost);
    let Heard::Lost(lost) = conversation.next().await else {
        panic!("the connection goes on");
    };
    assert_eq!(lost.end_reason(), EndReason::Slow);
    drop(client);
}

/// The ping is the first write that the stream does not take.
#[tokio::test(start_paused = true)]
async fn a_ping_that_has_to_wait_is_written_once_the_client_reads() {
    let limits = Limits {
        write_stall: 5 * SECOND,
        ..Limits::default()
    };
    let (mut conversation, mut client) = open(102, &limits).await;
    conversation.connection.send(frame(100), FrameKind::Packet);
    let mut bytes = [0; 105];
    let reading = async {
        tokio::time::sleep(27 * SECOND).await;
        client.read_exact(&mut bytes).await.unwrap();
        assert_eq!(bytes[102..], [0x81, 1, b'2']);
    };
    let (heard, ()) = tokio::join!(conversation.next(), reading);
    assert_eq!(heard, Heard::Lost(Lost::PingTimeout));
}

#[tokio::test(start_paused = true)]
async fn frames_stay_whole_and_in_order_byte_by_byte() {
    let (mut conversation, mut client) = open(1, &limits()).await;
    let texts: Vec<String> = (0..100).map(|i| format!("{i}{}", "x".repeat(i))).collect();
    let mut expected = Vec::new();
    for text in &texts {
        let frame = text_frame(text);
        expected.extend_from_slice(&frame);
        conversation.connection.send(frame, FrameKind::Packet);
    }
    let mut received = vec![0; expected.len()];
    let reading = async {
        for byte in &mut received {
            *byte = client.read_u8().await.unwrap();
        }
    };
    tokio::select! {
        heard = conversation.next() => panic!("{heard:?}"),
        () = reading => {}
    }
    assert_eq!(received, expected);
    assert_eq!(conversation.connection.progress().written, 100);
}

#[tokio::test(start_paused = true)]
async fn a_stream_that_is_stuck_closes_all_the_same() {
    let (mut conversation, client) = open(16, &limits()).await;
    conversation
        .connection
        .send(frame(5_000), FrameKind::Packet);
    let start = Instant::now();
    conversation.close(None, SECOND).await;
    assert!(start.elapsed() <= 2 * SECOND);
    drop(client);
}

#[tokio::test(start_paused = true)]
async fn nothing_answers_what_comes_after_the_close_frame() {
    let (mut conversation, mut client) = open(1_024, &limits()).await;
    let ping = [0x89, 0x80, 0, 0, 0, 0];
    let close = [0x88, 0x80, 0, 0, 0, 0];
    client.write_all(&[ping, close].concat()).await.unwrap();
    let start = Instant::now();
    conversation.close(Some(1_001), SECOND).await;
    assert!(start.elapsed() < SECOND, "the client's close frame ends it");
    drop(conversation);
    let mut received = Vec::new();
    client.read_to_end(&mut received).await.unwrap();
    assert_eq!(received, [0x88, 2, 0x03, 0xe9]);
}

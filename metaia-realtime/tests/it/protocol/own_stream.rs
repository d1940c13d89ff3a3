//! An embedder's own listener, whose streams only the task of a connection can write: TLS, for
//! example.

use std::{
    io,
    net::SocketAddr,
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use axum::serve::Listener;
use metaia_realtime::{
    EventContext, HandlerError, Limits, Realtime,
    client::{Client, Transport},
    serve::{GuardedListener, PeerAddr},
    testing::eventually,
};
use serde_json::json;
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::{TcpListener, TcpSocket, TcpStream},
};
use tokio_util::task::TaskTracker;

use crate::support::{
    Anyone, limits,
    raw_frames::{CLOSE, RawFrames, TEXT, client_frame},
    raw_socket::{KICKED, RawSocket, SMALL_BUFFER},
    tick, ticks, user,
};

/// A stream that takes a few bytes at a time.
struct Narrow(TcpStream);

impl AsyncRead for Narrow {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_read(cx, buf)
    }
}

impl AsyncWrite for Narrow {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        let some = &buf[..buf.len().min(1_000)];
        Pin::new(&mut self.0).poll_write(cx, some)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_shutdown(cx)
    }
}

struct NarrowListener(TcpListener);

impl Listener for NarrowListener {
    type Io = Narrow;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Narrow, SocketAddr) {
        let (stream, peer) = self.0.accept().await.unwrap();
        (Narrow(stream), peer)
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.0.local_addr()
    }
}

async fn realtime(limits: Limits) -> Realtime {
    let realtime = Realtime::builder()
        .authenticator(Anyone)
        .limits(limits)
        .on("echo", |_: EventContext, i: u64| async move {
            Ok::<_, HandlerError>(i)
        })
        .on("boom", |_: EventContext, boom: bool| async move {
            assert!(!boom, "the test makes the handler panic");
            Ok::<_, HandlerError>(boom)
        });
    realtime.build().await.unwrap()
}

/// Serves with an own listener.
async fn serve(limits: Limits) -> (Realtime, SocketAddr) {
    let realtime = realtime(limits).await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let app = axum::Router::new().layer(realtime.layer());
    let serving = axum::serve(NarrowListener(listener), app);
    TaskTracker::new().spawn(serving.into_future());
    (realtime, address)
}

/// Serves with the listener of the library, whose streams have a guard of their own.
async fn serve_guarded(limits: Limits) -> (Realtime, SocketAddr) {
    let realtime = realtime(limits).await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let app = axum::Router::new().layer(realtime.layer());
    let app = app.into_make_service_with_connect_info::<PeerAddr>();
    let serving = axum::serve(GuardedListener::new(listener, &realtime), app);
    TaskTracker::new().spawn(serving.into_future());
    (realtime, address)
}

async fn connect_over(tcp: TcpStream) -> RawSocket {
    let url = format!(
        "ws://{}/socket.io/?EIO=4&transport=websocket",
        tcp.peer_addr().unwrap()
    );
    let mut socket = RawSocket::new(tokio_tungstenite::client_async(url, tcp).await.unwrap().0);
    socket.send("40").await;
    socket.until("42[\"rt:ready\"").await;
    socket
}

async fn connect(address: SocketAddr) -> RawSocket {
    connect_over(TcpStream::connect(address).await.unwrap()).await
}

#[tokio::test]
async fn events_and_acks_come_in_order() {
    let (realtime, address) = serve(Limits::default()).await;
    let mut socket = connect(address).await;
    for i in 0..600 {
        tick(&realtime, user("c1"), i).await;
        if i % 100 == 0 {
            socket.send(format!(r#"42{i}["echo",{i}]"#)).await;
        }
    }
    let mut ticks = 0;
    let mut acks = 0;
    while ticks < 600 || acks < 6 {
        let packet = socket.next().await.unwrap();
        if packet.starts_with("43") {
            assert_eq!(packet, format!("43{0}[{0}]", acks * 100));
            acks += 1;
        } else if packet.starts_with("42[\"tick\"") {
            assert!(
                packet.contains(&format!("\"i\":{ticks},"))
                    || packet.contains(&format!("\"i\":{ticks}}}")),
                "{ticks}: {packet}"
            );
            ticks += 1;
        }
    }
    realtime
        .disconnect_user(&"c1".parse().unwrap())
        .await
        .unwrap();
    assert_eq!(socket.rest().await, KICKED);
}

#[tokio::test]
async fn an_idle_client_is_pinged_and_stays() {
    let (realtime, address) = serve(limits(|limits| {
        limits.ping_interval = Duration::from_millis(100);
        limits.ping_timeout = Duration::from_secs(2);
    }))
    .await;
    let mut socket = connect(address).await;
    for _ in 0..3 {
        socket.answer_a_ping().await;
    }
    assert_eq!(realtime.local_sessions().len(), 1);
}

#[tokio::test]
async fn a_client_that_upgrades_gets_its_events_in_order() {
    for is_guarded in [false, true] {
        let (realtime, address) = match is_guarded {
            false => serve(Limits::default()).await,
            true => serve_guarded(Limits::default()).await,
        };
        let builder = Client::builder(format!("http://{address}")).transport(Transport::Upgrade);
        let (client, mut updates) = builder.token("any").connect().await.unwrap();
        for i in 0..300 {
            tick(&realtime, user("c1"), i).await;
        }
        let received = ticks(&mut updates, 300).await;
        assert_eq!(received, (0..300).collect::<Vec<_>>());
        client.close().await;
        eventually("the end", || realtime.census().links == 0).await;
    }
}

async fn ends_as_slow(realtime: &Realtime, address: SocketAddr) {
    let tcp = TcpSocket::new_v4().unwrap();
    tcp.set_recv_buffer_size(SMALL_BUFFER).unwrap();
    let _frozen = connect_over(tcp.connect(address).await.unwrap()).await;
    let text = "x".repeat(30_000);
    for _ in 0..200 {
        let event = ("tick", json!({ "text": text }));
        realtime.send([user("c1")], event).await.unwrap();
    }
    eventually("the end of the session", || {
        realtime.stats().ends["slow_consumer"] == 1
    })
    .await;
}

fn short_stall() -> Limits {
    limits(|limits| limits.write_stall = Duration::from_secs(1))
}

#[tokio::test]
async fn a_client_that_never_reads_is_ended_as_slow() {
    let (realtime, address) = serve(short_stall()).await;
    ends_as_slow(&realtime, address).await;
}

#[tokio::test]
async fn a_client_that_never_reads_is_ended_as_slow_by_the_guard_too() {
    let (realtime, address) = serve_guarded(short_stall()).await;
    ends_as_slow(&realtime, address).await;
}

#[tokio::test]
async fn the_last_frames_are_written() {
    let (_realtime, address) = serve(Limits::default()).await;
    let token = "any";
    let mut frames = RawFrames::connect(address, token).await;
    frames.send(&client_frame(CLOSE, &[0x03, 0xe8])).await;
    assert_eq!(frames.close_payload().await, [0x03, 0xe8]);

    let mut frames = RawFrames::connect(address, token).await;
    frames.send(&client_frame(TEXT, b"\xff")).await;
    assert_eq!(frames.close_payload().await, 1_007_u16.to_be_bytes());

    let mut frames = RawFrames::connect(address, token).await;
    frames
        .send(&client_frame(TEXT, br#"42["boom",true]"#))
        .await;
    assert_eq!(
        frames.text().await,
        r#"42["rt:end",{"code":"unavailable"}]"#
    );
    assert_eq!(frames.close_payload().await, b"");
}

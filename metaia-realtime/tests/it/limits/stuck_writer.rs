//! A client that stops reading, on plain socketioxide, which never notices it. Our wrapper exists
//! for this case: `write_stall` tests the same client on our server. If this test fails, the engine
//! may have been improved, and the wrapper may be needless.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use metaia_realtime::testing::{eventually, within};
use socketioxide::{SendError, SocketError, SocketIo, extract::SocketRef};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::mpsc,
};
use tokio_util::task::TaskTracker;

use crate::support::raw_socket::RawSocket;

const PING_INTERVAL: Duration = Duration::from_millis(300);
/// The first ping is sent at once, so the client's queue must be full within this time.
const PING_TIMEOUT: Duration = Duration::from_millis(1_500);
/// Consecutive checks, 5 ms apart, after which a full queue counts as full for good.
const FULL_CHECKS: usize = 40;

#[tokio::test]
async fn plain_socketioxide_never_disconnects_a_client_that_does_not_read() {
    let (layer, io) = SocketIo::builder()
        .ping_interval(PING_INTERVAL)
        .ping_timeout(PING_TIMEOUT)
        .build_layer();
    let (sockets, mut connected) = mpsc::channel(1);
    let ended = Arc::new(AtomicBool::new(false));
    let handler_ended = Arc::clone(&ended);
    io.ns("/", async move |socket: SocketRef| {
        socket.on_disconnect(async move || handler_ended.store(true, Ordering::SeqCst));
        sockets.send(socket).await.ok();
    });
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let tasks = TaskTracker::new();
    let serving =
        tasks.spawn(async move { axum::serve(listener, axum::Router::new().layer(layer)).await });

    let tcp = TcpStream::connect(address).await.unwrap();
    let url = format!("ws://{address}/socket.io/?EIO=4&transport=websocket");
    let mut frozen = RawSocket::new(tokio_tungstenite::client_async(url, tcp).await.unwrap().0);
    frozen.send("40").await;
    let socket = within("the connection", connected.recv()).await.unwrap();

    let text = "x".repeat(60_000);
    let mut full = 0;
    eventually("a queue that stays full", || {
        full += 1;
        while socket.emit("tick", &text).is_ok() {
            full = 0;
        }
        full > FULL_CHECKS
    })
    .await;
    let refused = socket.clone().disconnect();
    assert!(
        matches!(refused, Err(SocketError::InternalChannelFull)),
        "{refused:?}"
    );
    let end = tokio::time::timeout(
        (PING_INTERVAL + PING_TIMEOUT) * 2,
        eventually("nothing", || ended.load(Ordering::SeqCst)),
    )
    .await;
    assert!(end.is_err(), "the engine ended the session");
    assert!(socket.connected() && io.sockets().len() == 1);
    assert!(matches!(
        socket.emit("tick", "x"),
        Err(SendError::Socket(SocketError::InternalChannelFull))
    ));

    drop(frozen);
    eventually("the end, once the client has closed", || {
        ended.load(Ordering::SeqCst)
    })
    .await;
    serving.abort();
}

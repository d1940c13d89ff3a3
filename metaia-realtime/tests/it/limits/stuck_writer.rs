//! A client that stops reading, on plain socketioxide: the trap that our wrapper is for. `stall`
//! shows the same client on our server. When this test fails, the engine may have learnt to do it
//! itself.

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

use crate::support::raw_socket::Line;

const PING: Duration = Duration::from_millis(300);
/// The first ping is sent at once: in this time the client's queue must be full.
const PONG: Duration = Duration::from_millis(1_500);
/// Looks, 5 ms apart, at which a queue must have been full to be full for good.
const LOOKS: usize = 40;

#[tokio::test]
async fn plain_socketioxide_never_lets_go_of_a_client_that_does_not_read() {
    let (layer, io) = SocketIo::builder()
        .ping_interval(PING)
        .ping_timeout(PONG)
        .build_layer();
    let (sockets, mut connected) = mpsc::channel(1);
    let gone = Arc::new(AtomicBool::new(false));
    let went = Arc::clone(&gone);
    io.ns("/", async move |socket: SocketRef| {
        socket.on_disconnect(async move || went.store(true, Ordering::SeqCst));
        sockets.send(socket).await.ok();
    });
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let tasks = TaskTracker::new();
    let serving =
        tasks.spawn(async move { axum::serve(listener, axum::Router::new().layer(layer)).await });

    let tcp = TcpStream::connect(address).await.unwrap();
    let url = format!("ws://{address}/socket.io/?EIO=4&transport=websocket");
    let mut frozen = Line::of(tokio_tungstenite::client_async(url, tcp).await.unwrap().0);
    frozen.send("40").await;
    let socket = within("the connection", connected.recv()).await.unwrap();

    let text = "x".repeat(60_000);
    let mut full = 0;
    eventually("a queue that stays full", || {
        full += 1;
        while socket.emit("tick", &text).is_ok() {
            full = 0;
        }
        full > LOOKS
    })
    .await;
    let refused = socket.clone().disconnect();
    assert!(
        matches!(refused, Err(SocketError::InternalChannelFull)),
        "{refused:?}"
    );
    let still = tokio::time::timeout(
        (PING + PONG) * 2,
        eventually("nothing", || gone.load(Ordering::SeqCst)),
    )
    .await;
    assert!(still.is_err(), "its end was noticed");
    assert!(socket.connected() && io.sockets().len() == 1);
    assert!(matches!(
        socket.emit("tick", "x"),
        Err(SendError::Socket(SocketError::InternalChannelFull))
    ));

    drop(frozen);
    eventually("the end, once the client has closed", || {
        gone.load(Ordering::SeqCst)
    })
    .await;
    serving.abort();
}

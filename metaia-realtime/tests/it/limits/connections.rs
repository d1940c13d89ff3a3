//! Limits of TCP connections and requests: their number, and their time.

use std::{net::SocketAddr, time::Duration};

use axum::routing::post;
use metaia_realtime::{
    Realtime, Role,
    serve::{GuardedListener, PeerAddr},
    testing::{TestServer, eventually, within},
};
use serde_json::json;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
};
use tokio_util::task::TaskTracker;

use super::server_with;
use crate::support::{
    Anyone, limits,
    poller::Poller,
    raw_socket::{HttpResponse, KICKED, RawSocket, open_polling},
    tick, user,
};

const SHORT: Duration = Duration::from_millis(300);

async fn dial(address: SocketAddr, text: &str) -> TcpStream {
    let mut tcp = TcpStream::connect(address).await.unwrap();
    tcp.write_all(text.as_bytes()).await.unwrap();
    tcp
}

/// Returns everything up to the close by the server.
async fn rest(mut tcp: TcpStream) -> String {
    let mut received = Vec::new();
    within("the server to close", tcp.read_to_end(&mut received))
        .await
        .ok();
    String::from_utf8_lossy(&received).into_owned()
}

/// Makes handshakes until one is not refused: waits for a free slot.
async fn free_slot(server: &TestServer) -> HttpResponse {
    within("a free slot", async {
        loop {
            let response = open_polling(server, "").await;
            if response.status != 503 {
                return response;
            }
        }
    })
    .await
}

#[tokio::test]
async fn a_connection_over_the_limit_is_refused_with_503() {
    let server = server_with(|limits| limits.connections = 2).await;
    let first = dial(server.address(), "").await;
    let _second = dial(server.address(), "").await;
    let refused = open_polling(&server, "").await;
    assert_eq!(refused.status, 503);
    assert!(
        refused.head.contains("retry-after: ") && refused.body.contains("too_many_connections")
    );
    drop(first);
    assert_eq!(free_slot(&server).await.status, 200);
}

#[tokio::test]
async fn a_slot_is_released_however_a_connection_ends() {
    let server = server_with(|limits| {
        limits.connections = 1;
        limits.request_head = SHORT;
        limits.write_stall = Duration::from_secs(1);
    })
    .await;
    free_slot(&server).await;
    let mut disconnected = within("a free slot", connect_once_free(&server)).await;
    server
        .realtime()
        .disconnect_user(&"c1".parse().unwrap())
        .await
        .unwrap();
    disconnected.rest().await;
    free_slot(&server).await;
    let mut half_closed = dial(server.address(), "GET /nothing HTTP/1.1\r\nHost: x\r\n\r\n").await;
    half_closed.shutdown().await.unwrap();
    free_slot(&server).await;
    let _silent = dial(server.address(), "").await;
    free_slot(&server).await;
    let _nonsense = dial(server.address(), "\0\0\0\0").await;
    free_slot(&server).await;
    let _frozen = within("a free slot", connect_once_free(&server)).await;
    let flood = ("flood", json!({ "text": "x".repeat(10_000) }));
    for _ in 0..100 {
        server
            .realtime()
            .send([user("c1")], flood.clone())
            .await
            .unwrap();
    }
    free_slot(&server).await;
}

/// Connects a WebSocket as soon as a slot is free, and waits for `rt:ready`.
async fn connect_once_free(server: &TestServer) -> RawSocket {
    loop {
        if let Ok(mut socket) = RawSocket::open_with(server, &[]).await {
            let auth = json!({ "token": server.token(Role::Customer, "c1") });
            socket.send(format!("40{auth}")).await;
            socket.until("42[\"rt:ready\"").await;
            return socket;
        }
    }
}

#[tokio::test]
async fn a_client_that_polls_and_upgrades_releases_its_connections() {
    let server = server_with(|limits| limits.connections = 4).await;
    for _ in 0..4 {
        let phone = Poller::connect_until_ready(&server, Role::Customer, "c1").await;
        let mut socket = phone.upgrade(&server).await;
        server
            .realtime()
            .disconnect_user(&"c1".parse().unwrap())
            .await
            .unwrap();
        socket.rest().await;
    }
    free_slot(&server).await;
}

#[tokio::test]
async fn a_request_head_that_does_not_arrive_ends_its_connection() {
    let server = server_with(|limits| {
        limits.request_head = SHORT;
        limits.keep_alive = SHORT;
    })
    .await;
    let request = "GET /nothing HTTP/1.1\r\nHost: x\r\n\r\n";
    for (sent, responses) in [
        ("", 0),
        (&request[..20], 0),
        (request, 1),
        (&format!("{request}{}", &request[..9]), 1),
    ] {
        let received = rest(dial(server.address(), sent).await).await;
        assert_eq!(
            received.matches("404 Not Found").count(),
            responses,
            "{sent}: {received}"
        );
    }
}

#[tokio::test]
async fn a_body_that_trickles_ends_its_connection() {
    let realtime = Realtime::builder()
        .authenticator(Anyone)
        .limits(limits(|limits| limits.request_body = SHORT));
    let realtime = realtime.build().await.unwrap();
    let app = axum::Router::new().route("/echo", post(async |body: String| body));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let tasks = TaskTracker::new();
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    tasks.spawn(
        metaia_realtime::serve(listener, app, realtime)
            .with_shutdown(async { drop(stopped.await) })
            .into_future(),
    );
    tasks.close();
    let request = "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\n";
    let whole = format!(
        "{}hello",
        request.replace("\r\n\r\n", "\r\nConnection: close\r\n\r\n")
    );
    assert!(rest(dial(address, &whole).await).await.ends_with("hello"));
    let refused = rest(dial(address, &format!("{request}hell")).await).await;
    assert!(
        refused.starts_with("HTTP/1.1 400 ") && refused.ends_with("did not come in time"),
        "{refused}"
    );
    stop.send(()).unwrap();
    within("the end of the server", tasks.wait()).await;
}

#[tokio::test]
async fn a_post_that_trickles_ends_its_session() {
    let server = server_with(|limits| limits.request_body = SHORT).await;
    let phone = Poller::connect_until_ready(&server, Role::Customer, "c1").await;
    let trickle = phone.begin_post(10, "42").await;
    eventually("the end of the session", || {
        server.realtime().local_sessions().is_empty()
    })
    .await;
    rest(trickle).await;
}

#[tokio::test]
async fn axum_serve_over_our_listener_has_the_same_guard() {
    let limits = limits(|limits| limits.connections = 2);
    let realtime = Realtime::builder()
        .authenticator(Anyone)
        .limits(limits)
        .build()
        .await
        .unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let listener = GuardedListener::new(listener, &realtime);
    let app = axum::Router::new().layer(realtime.layer());
    let tasks = TaskTracker::new();
    let serving = tasks.spawn(async move {
        axum::serve(
            listener,
            app.into_make_service_with_connect_info::<PeerAddr>(),
        )
        .await
    });
    let tcp = TcpStream::connect(address).await.unwrap();
    let url = format!("ws://{address}/socket.io/?EIO=4&transport=websocket");
    let mut socket = RawSocket::new(tokio_tungstenite::client_async(url, tcp).await.unwrap().0);
    socket.send("40").await;
    socket.until("42[\"rt:ready\"").await;
    // More than twice the credit window: credit returns only if the guard sees the frames.
    for i in 0..600 {
        tick(&realtime, user("c1"), i).await;
    }
    for _ in 0..600 {
        socket.until("42[\"tick\"").await;
    }
    let _second = dial(address, "").await;
    assert!(
        rest(dial(address, "").await)
            .await
            .contains("too_many_connections")
    );
    realtime
        .disconnect_user(&"c1".parse().unwrap())
        .await
        .unwrap();
    assert_eq!(socket.rest().await, KICKED);
    serving.abort();
}

//! Mounting. Under a prefix: the service that the layer makes can be nested, a router that has the
//! layer cannot. On `axum::serve` with our listener: it needs `PeerAddr`.

use std::net::SocketAddr;

use axum::{Router, extract::ConnectInfo, routing::get};
use metaia_realtime::{
    Realtime,
    client::{Client, ConnectError, Transport},
    serve::{GuardedListener, PeerAddr},
    testing::within,
};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
};
use tokio_util::task::TaskTracker;
use tower::ServiceExt as _;
use tower_layer::Layer as _;

use crate::support::{Anyone, captured_log::CapturedLog, limits};

/// Serves `app` and connects a client to `path`.
async fn connect(app: Router, path: &str) -> Result<(), ConnectError> {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    TaskTracker::new().spawn(axum::serve(listener, app).into_future());
    let client = Client::builder(url).token("any").path(path);
    client.connect().await.map(drop)
}

async fn realtime() -> Realtime {
    let builder = Realtime::builder().authenticator(Anyone);
    builder.build().await.unwrap()
}

#[tokio::test]
async fn the_service_of_the_layer_is_served_under_a_prefix() {
    let service = realtime().await.layer().layer(Router::new());
    let app = Router::new().nest_service("/v1/rt", service);
    connect(app, "/v1/rt/socket.io/").await.unwrap();
}

#[tokio::test]
async fn a_nested_router_that_has_the_layer_answers_404() {
    let inner = Router::new().layer(realtime().await.layer());
    let app = Router::new().nest("/v1", inner);
    let refused = connect(app, "/v1/socket.io/").await;
    assert!(
        matches!(refused, Err(ConnectError::Http { status: 404, .. })),
        "{refused:?}"
    );
}

async fn listen(realtime: &Realtime) -> (GuardedListener, SocketAddr) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    (GuardedListener::new(listener, realtime), address)
}

/// Sends a request, and returns the address that it came from, and the response.
async fn request(server: SocketAddr, path: &str) -> (SocketAddr, String) {
    let mut tcp = TcpStream::connect(server).await.unwrap();
    let own = tcp.local_addr().unwrap();
    let head = format!("GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    tcp.write_all(head.as_bytes()).await.unwrap();
    let mut response = String::new();
    within("a response", tcp.read_to_string(&mut response))
        .await
        .unwrap();
    (own, response)
}

#[tokio::test]
async fn our_listener_refuses_to_serve_without_the_peer_and_says_so() {
    let log = CapturedLog::start();
    let realtime = realtime().await;
    let (listener, address) = listen(&realtime).await;
    let app = Router::new()
        .route("/hello", get(|| async { "hello" }))
        .layer(realtime.layer());
    TaskTracker::new().spawn(axum::serve(listener, app).into_future());

    for path in ["/hello", "/socket.io/?EIO=4&transport=polling", "/none"] {
        let (_, response) = request(address, path).await;
        assert!(response.starts_with("HTTP/1.1 500 "), "{path}: {response}");
        assert!(
            response.contains("into_make_service_with_connect_info::<PeerAddr>()"),
            "{path}: {response}"
        );
    }
    for transport in [Transport::WebSocket, Transport::Polling] {
        let client = Client::builder(format!("http://{address}")).token("any");
        let refused = client.transport(transport).connect().await;
        assert!(
            matches!(refused, Err(ConnectError::Http { status: 500, .. })),
            "{refused:?}"
        );
    }
    let line = "GuardedListener refuses all requests";
    assert_eq!(log.text().matches(line).count(), 1, "{}", log.text());
    assert!(log.contains("ERROR"));
    assert_eq!(realtime.local_sessions().len(), 0);
}

#[tokio::test]
async fn handlers_behind_our_listener_may_extract_both_kinds_of_peer() {
    let realtime = realtime().await;
    let (listener, address) = listen(&realtime).await;
    let app =
        Router::new()
            .route(
                "/socket",
                get(|ConnectInfo(peer): ConnectInfo<SocketAddr>| async move { peer.to_string() }),
            )
            .route(
                "/peer",
                get(|ConnectInfo(peer): ConnectInfo<PeerAddr>| async move {
                    peer.address().to_string()
                }),
            )
            .layer(realtime.layer())
            // Outside of the layer.
            .route("/outside", get(|| async { "outside" }));
    let app = app.into_make_service_with_connect_info::<PeerAddr>();
    TaskTracker::new().spawn(axum::serve(listener, app).into_future());

    for path in ["/socket", "/peer"] {
        let (own, response) = request(address, path).await;
        assert!(response.starts_with("HTTP/1.1 200 "), "{path}: {response}");
        assert!(response.ends_with(&own.to_string()), "{path}: {response}");
    }
    let (_, response) = request(address, "/outside").await;
    assert!(response.ends_with("outside"), "{response}");
    let client = Client::builder(format!("http://{address}")).token("any");
    client.connect().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn the_rate_of_handshakes_is_the_nodes_however_many_layers_it_has() {
    let few = limits(|limits| limits.handshakes_per_s = 2);
    let builder = Realtime::builder().authenticator(Anyone).limits(few);
    let realtime = builder.build().await.unwrap();
    let layers = [realtime.layer(), realtime.layer(), realtime.clone().layer()];
    let mut accepted = 0;
    for layer in layers.iter().cycle().take(12) {
        let request = http::Request::get("/socket.io/?EIO=4&transport=polling");
        let request = request.body(axum::body::Body::empty()).unwrap();
        let answer = layer.layer(Router::new()).oneshot(request).await.unwrap();
        accepted += u32::from(answer.status() == http::StatusCode::OK);
    }
    assert_eq!(accepted, 2);
}

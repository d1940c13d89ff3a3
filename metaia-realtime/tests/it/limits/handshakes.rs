//! TCP connections and requests: how many, and for how long.

use std::{net::SocketAddr, time::Duration};

use axum::routing::post;
use metaia_realtime::{
    Authenticator, Identity, Limits, Realtime, Role,
    auth::{AuthError, Credentials},
    serve::{GuardedListener, PeerAddr},
    testing::{TestServer, eventually, within},
};
use serde_json::json;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
};
use tokio_util::task::TaskTracker;

use crate::{
    limits,
    support::{
        poller::Poller,
        raw_socket::{Answer, Line, open_polling},
    },
    tick, user,
};

const SHORT: Duration = Duration::from_millis(300);

async fn limited(change: impl FnOnce(&mut Limits)) -> TestServer {
    TestServer::start(|builder| builder.limits(limits(change))).await
}

async fn dial(address: SocketAddr, text: &str) -> TcpStream {
    let mut tcp = TcpStream::connect(address).await.unwrap();
    tcp.write_all(text.as_bytes()).await.unwrap();
    tcp
}

/// What comes until the server closes.
async fn rest(mut tcp: TcpStream) -> String {
    let mut answer = Vec::new();
    within("the server to close", tcp.read_to_end(&mut answer))
        .await
        .ok();
    String::from_utf8_lossy(&answer).into_owned()
}

/// Waits until there is place for a connection.
async fn place(server: &TestServer) -> Answer {
    within("a place", async {
        loop {
            let answer = open_polling(server, "").await;
            if answer.status != 503 {
                return answer;
            }
        }
    })
    .await
}

#[tokio::test]
async fn one_connection_too_many_is_told_so() {
    let server = limited(|l| l.connections = 2).await;
    let (one, _two) = (
        dial(server.address(), "").await,
        dial(server.address(), "").await,
    );
    let refused = open_polling(&server, "").await;
    assert_eq!(refused.status, 503);
    assert!(
        refused.head.contains("retry-after: ") && refused.body.contains("too_many_connections")
    );
    drop(one);
    assert_eq!(place(&server).await.status, 200);
}

#[tokio::test]
async fn a_place_comes_back_however_a_connection_ends() {
    let server = limited(|l| {
        l.connections = 1;
        l.request_head = SHORT;
        l.write_stall = Duration::from_secs(1);
    })
    .await;
    place(&server).await;
    let mut kicked = within("a place", free_line(&server)).await;
    server
        .realtime()
        .disconnect_user(&"c1".parse().unwrap())
        .await
        .unwrap();
    kicked.rest().await;
    place(&server).await;
    let mut half_closed = dial(server.address(), "GET /nothing HTTP/1.1\r\nHost: x\r\n\r\n").await;
    half_closed.shutdown().await.unwrap();
    place(&server).await;
    let _silent = dial(server.address(), "").await;
    place(&server).await;
    let _nonsense = dial(server.address(), "\0\0\0\0").await;
    place(&server).await;
    let _frozen = within("a place", free_line(&server)).await;
    let flood = ("flood", json!({ "text": "x".repeat(10_000) }));
    for _ in 0..100 {
        server
            .realtime()
            .send([user("c1")], flood.clone())
            .await
            .unwrap();
    }
    place(&server).await;
}

/// A connected WebSocket, once there is place for it.
async fn free_line(server: &TestServer) -> Line {
    loop {
        if let Ok(mut line) = Line::open_with(server, &[]).await {
            line.send(format!(
                "40{}",
                json!({ "token": server.token(Role::Customer, "c1") })
            ))
            .await;
            line.until("42[\"rt:ready\"").await;
            return line;
        }
    }
}

#[tokio::test]
async fn who_polls_and_upgrades_gives_its_places_back() {
    let server = limited(|l| l.connections = 4).await;
    for _ in 0..4 {
        let phone = Poller::connect(&server, Role::Customer, "c1").await;
        let mut line = phone.upgrade(&server).await;
        server
            .realtime()
            .disconnect_user(&"c1".parse().unwrap())
            .await
            .unwrap();
        line.rest().await;
    }
    place(&server).await;
}

#[tokio::test]
async fn a_head_that_does_not_come_ends_its_connection() {
    let server = limited(|l| l.request_head = SHORT).await;
    let request = "GET /nothing HTTP/1.1\r\nHost: x\r\n\r\n";
    for (begun, answers) in [
        ("", 0),
        (&request[..20], 0),
        (request, 1),
        (&format!("{request}{}", &request[..9]), 1),
    ] {
        let answer = rest(dial(server.address(), begun).await).await;
        assert_eq!(
            answer.matches("404 Not Found").count(),
            answers,
            "{begun}: {answer}"
        );
    }
}

#[tokio::test]
async fn a_body_that_trickles_ends_its_connection() {
    let realtime = Realtime::builder()
        .authenticator(Anyone)
        .limits(limits(|l| l.request_body = SHORT));
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
    let answer = rest(dial(address, &format!("{request}hell")).await).await;
    assert!(
        answer.starts_with("HTTP/1.1 400 ") && answer.ends_with("did not come in time"),
        "{answer}"
    );
    stop.send(()).unwrap();
    within("the end of the server", tasks.wait()).await;
}

#[tokio::test]
async fn a_post_that_trickles_ends_its_session() {
    let server = limited(|l| l.request_body = SHORT).await;
    let phone = Poller::connect(&server, Role::Customer, "c1").await;
    let trickle = phone.begin_post(10, "42").await;
    eventually("its end", || server.realtime().local_sessions().is_empty()).await;
    rest(trickle).await;
}

/// Lets everybody in, as a customer.
struct Anyone;

impl Authenticator for Anyone {
    async fn authenticate(&self, _: Credentials) -> Result<Identity, AuthError> {
        Ok(Identity::new("c1".parse().unwrap(), Role::Customer))
    }
}

#[tokio::test]
async fn axums_own_loop_over_our_listener_has_the_same_guard() {
    let limits = limits(|l| l.connections = 2);
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
    let mut line = Line::of(tokio_tungstenite::client_async(url, tcp).await.unwrap().0);
    line.send("40").await;
    line.until("42[\"rt:ready\"").await;
    // Twice its credit window: it comes back as frames are seen.
    for i in 0..600 {
        tick(&realtime, user("c1"), i).await;
    }
    for _ in 0..600 {
        line.until("42[\"tick\"").await;
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
    assert_eq!(line.rest().await, ["41"]);
    serving.abort();
}

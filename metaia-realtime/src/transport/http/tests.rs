//! The lifetime of connections, over streams in memory and with time paused.

use axum::routing::{any, get, post};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _, DuplexStream, duplex},
    sync::Semaphore,
    time::{Instant, advance, timeout},
};

use super::*;

const REQUEST: &str = "GET /nothing HTTP/1.1\r\nHost: x\r\n\r\n";

const fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

/// The client's end of a connection to a server, and when it was opened.
struct Client {
    stream: DuplexStream,
    opened: Instant,
}

impl Client {
    /// Connects to a server with the default limits.
    fn connect(app: Router) -> Self {
        let (ours, theirs) = duplex(64 * 1024);
        let permit = Arc::new(Semaphore::new(1)).try_acquire_owned().unwrap();
        let connection = Connection::new(([127, 0, 0, 1], 1).into());
        let terms = Terms::new(&Limits::default());
        connection.watch_requests(terms.requests, Arc::default());
        let io = GuardedIo::new(theirs, connection, Duration::MAX, permit);
        TaskTracker::new().spawn(serve_connection(io, app, terms, CancellationToken::new()));
        Self {
            stream: ours,
            opened: Instant::now(),
        }
    }

    async fn send(&mut self, text: &str) {
        self.stream.write_all(text.as_bytes()).await.unwrap();
        // So that the server reads it before time passes.
        tokio::task::yield_now().await;
    }

    /// Sends a request, and reads its answer up to `end`.
    async fn ask(&mut self, request: &str, end: &str) -> String {
        self.send(request).await;
        let mut answer = String::new();
        while !answer.ends_with(end) {
            answer.push(self.stream.read_u8().await.unwrap().into());
        }
        answer
    }

    /// Reads to the end of the connection. Returns what came, and the connection's age then in
    /// seconds.
    async fn rest(mut self) -> (String, u64) {
        let mut rest = String::new();
        self.stream.read_to_string(&mut rest).await.unwrap();
        (rest, self.opened.elapsed().as_secs())
    }
}

fn routes() -> Router {
    Router::new()
        .route("/echo", post(async |body: String| body))
        .route("/slow", get(slow))
        .route("/upgrade", any(upgrade))
}

/// Answers after 200 s.
async fn slow() -> &'static str {
    let never = std::future::pending::<()>();
    timeout(seconds(200), never).await.unwrap_err();
    "done"
}

/// Changes to a protocol that echoes one byte.
async fn upgrade(request: axum::extract::Request) -> Response<Body> {
    TaskTracker::new().spawn(async move {
        let upgraded = hyper::upgrade::on(request).await.unwrap();
        let mut stream = TokioIo::new(upgraded);
        let byte = stream.read_u8().await.unwrap();
        stream.write_u8(byte).await.unwrap();
    });
    let response = Response::builder().status(101);
    let response = response.header("connection", "upgrade");
    response
        .header("upgrade", "echo")
        .body(Body::empty())
        .unwrap()
}

#[tokio::test(start_paused = true)]
async fn a_connection_that_sends_nothing_ends_after_10_s() {
    let client = Client::connect(routes());
    assert_eq!(client.rest().await, (String::new(), 10));
}

#[tokio::test(start_paused = true)]
async fn a_head_has_10_s_from_its_first_byte() {
    for silence in [0, 1, 9] {
        let mut client = Client::connect(routes());
        advance(seconds(silence)).await;
        client.send("G").await;
        assert_eq!(client.rest().await, (String::new(), silence + 10));
    }
}

#[tokio::test(start_paused = true)]
async fn a_head_that_trickles_has_no_more_time() {
    let mut client = Client::connect(routes());
    for byte in REQUEST[..9].chars() {
        client.send(&byte.to_string()).await;
        advance(seconds(1)).await;
    }
    assert_eq!(client.rest().await, (String::new(), 10));
}

#[tokio::test(start_paused = true)]
async fn an_answered_connection_is_kept_for_75_s_and_70_are_announced() {
    let mut client = Client::connect(routes());
    for _ in 0..3 {
        let answer = client.ask(REQUEST, "\r\n\r\n").await;
        assert!(
            answer.contains("\r\nconnection: keep-alive\r\n"),
            "{answer}"
        );
        assert!(
            answer.contains("\r\nkeep-alive: timeout=70\r\n"),
            "{answer}"
        );
        advance(seconds(74)).await;
    }
    assert_eq!(client.rest().await, (String::new(), 3 * 74 + 1));
}

#[tokio::test(start_paused = true)]
async fn after_an_answer_a_head_has_10_s_again() {
    for begun in ["G", &REQUEST[..20]] {
        let mut client = Client::connect(routes());
        client.ask(REQUEST, "\r\n\r\n").await;
        advance(seconds(60)).await;
        client.send(begun).await;
        assert_eq!(client.rest().await.1, 70);
    }
}

#[tokio::test(start_paused = true)]
async fn a_head_that_begins_behind_a_request_has_10_s() {
    let echo = "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello";
    let chunked = "POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n\
                   5\r\nhello\r\n0\r\n\r\n";
    for (request, begun, age) in [
        (REQUEST, "GET /not", 10),
        (echo, "G", 10),
        (REQUEST, "", 75),
        (echo, "", 75),
        (chunked, "", 75),
    ] {
        let mut client = Client::connect(routes());
        client.send(&format!("{request}{begun}")).await;
        let (answer, ended) = client.rest().await;
        assert_eq!(answer.matches("HTTP/1.1 ").count(), 1, "{answer}");
        assert_eq!(ended, age, "{request}{begun}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_slow_answer_is_waited_for() {
    let mut client = Client::connect(routes());
    client
        .ask("GET /slow HTTP/1.1\r\nHost: x\r\n\r\n", "done")
        .await;
    assert_eq!(client.opened.elapsed(), seconds(200));
    assert_eq!(client.rest().await, (String::new(), 275));
}

#[tokio::test(start_paused = true)]
async fn a_client_that_closes_after_the_answer_is_told_nothing() {
    let close = REQUEST.replace("\r\n\r\n", "\r\nConnection: close\r\n\r\n");
    let old = REQUEST.replace("1.1", "1.0");
    for request in [close, old] {
        let mut client = Client::connect(routes());
        client.send(&request).await;
        let (answer, ended) = client.rest().await;
        assert!(!answer.contains("keep-alive"), "{answer}");
        assert_eq!(ended, 0);
    }
}

#[tokio::test(start_paused = true)]
async fn a_connection_with_another_protocol_has_no_deadline() {
    let mut client = Client::connect(routes());
    let request =
        "GET /upgrade HTTP/1.1\r\nHost: x\r\nConnection: upgrade\r\nUpgrade: echo\r\n\r\n";
    let answer = client.ask(request, "\r\n\r\n").await;
    assert!(!answer.contains("keep-alive"), "{answer}");
    advance(seconds(1_000)).await;
    client.send("x").await;
    assert_eq!(client.rest().await, ("x".to_owned(), 1_000));
}

//! The last events of a client: whatever it does right after it has sent them, they are handled.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use metaia_realtime::{
    Authenticator, EventContext, HandlerError, Identity, RealtimeBuilder, Role,
    auth::{AuthError, Credentials},
    testing::{TestServer, eventually, within},
};
use serde_json::json;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    sync::Semaphore,
};
use tokio_tungstenite::tungstenite::Message;

use crate::support::{Anyone, poller::Poller, raw_socket::RawSocket};

const SAVE: &str = r#"42["save",1]"#;

/// The action of a client right after its last event.
#[derive(Debug, Clone, Copy)]
enum Ending {
    /// Nothing more than DISCONNECT.
    Leave,
    LeaveAndCloseFrame,
    /// DISCONNECT, and then the close packet of Engine.IO.
    LeaveAndClosePacket,
    LeaveAndFin,
    ClosePacket,
    CloseFrame,
    /// A frame that is not allowed.
    BadFrame,
    /// The end of the TCP connection.
    Fin,
}

const ENDINGS: [Ending; 8] = [
    Ending::Leave,
    Ending::LeaveAndCloseFrame,
    Ending::LeaveAndClosePacket,
    Ending::LeaveAndFin,
    Ending::ClosePacket,
    Ending::CloseFrame,
    Ending::BadFrame,
    Ending::Fin,
];

impl Ending {
    fn messages(self) -> Vec<Message> {
        match self {
            Self::Leave | Self::LeaveAndFin => vec![Message::text("41")],
            Self::LeaveAndCloseFrame => vec![Message::text("41"), Message::Close(None)],
            Self::LeaveAndClosePacket => vec![Message::text("41"), Message::text("1")],
            Self::ClosePacket => vec![Message::text("1")],
            Self::CloseFrame => vec![Message::Close(None)],
            // One byte more than the server takes.
            Self::BadFrame => vec![Message::text("x".repeat(64 * 1024 + 1))],
            Self::Fin => vec![],
        }
    }
}

/// The time at which a client sends its last event.
#[derive(Debug, Clone, Copy)]
enum Timing {
    /// In the same write as its CONNECT.
    WithConnect,
    /// As soon as it has read the answer to its CONNECT.
    AfterAnswer,
}

/// Counts the events `save` that are handled.
struct SaveCounter(Arc<AtomicUsize>);

impl SaveCounter {
    async fn server(change: impl FnOnce(RealtimeBuilder) -> RealtimeBuilder) -> (Self, TestServer) {
        let count = Arc::new(AtomicUsize::new(0));
        let counter = Self(Arc::clone(&count));
        let server = TestServer::start(|builder| {
            change(builder).on("save", move |_: EventContext, _: u64| {
                count.fetch_add(1, Ordering::SeqCst);
                async { Ok::<_, HandlerError>(()) }
            })
        })
        .await;
        (counter, server)
    }

    async fn eventually(&self, what: &str, expected: usize) {
        eventually(what, || self.0.load(Ordering::SeqCst) == expected).await;
    }
}

fn connect(server: &TestServer, user: &str) -> String {
    let token = server.token(Role::Customer, user);
    format!("40{}", json!({ "token": token }))
}

/// Sends CONNECT, an event and the ending over a WebSocket.
async fn save_and_end(socket: &mut RawSocket, connect: String, timing: Timing, ending: Ending) {
    let mut messages = vec![Message::text(connect)];
    if matches!(timing, Timing::AfterAnswer) {
        socket.send_all(std::mem::take(&mut messages)).await;
        socket.until("40{").await;
    }
    messages.push(Message::text(SAVE));
    messages.extend(ending.messages());
    socket.send_all(messages).await;
    if matches!(ending, Ending::Fin | Ending::LeaveAndFin) {
        socket.finish_writing().await;
    }
}

async fn eventually_empty(server: &TestServer) {
    eventually("all sessions to end", || {
        server.realtime().local_sessions().is_empty()
    })
    .await;
}

/// Opens `tries` WebSockets for each ending and timing. Checks that the event of each is handled.
async fn check_websockets(tries: usize, open: impl AsyncFn(&TestServer) -> RawSocket) {
    let (counter, server) = SaveCounter::server(|builder| builder).await;
    let mut expected = 0;
    for ending in ENDINGS {
        for timing in [Timing::WithConnect, Timing::AfterAnswer] {
            let mut sockets = Vec::new();
            for i in 0..tries {
                let connect = connect(&server, &format!("c{i}"));
                let mut socket = open(&server).await;
                save_and_end(&mut socket, connect, timing, ending).await;
                sockets.push(socket);
            }
            expected += tries;
            let what = format!("{tries} events before {ending:?}, {timing:?}");
            counter.eventually(&what, expected).await;
            drop(sockets);
            eventually_empty(&server).await;
        }
    }
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_last_event_over_a_websocket_is_handled_whatever_follows_it() {
    check_websockets(20, RawSocket::open).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_last_event_over_an_upgraded_connection_is_handled_whatever_follows_it() {
    let upgraded = async |server: &TestServer| Poller::open(server).await.upgrade(server).await;
    check_websockets(5, upgraded).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_last_event_of_a_client_that_polls_is_handled_whatever_follows_it() {
    const TRIES: usize = 10;
    let (counter, server) = SaveCounter::server(|builder| builder).await;
    let mut expected = 0;
    for ending in ["41", "1", "41\u{1e}1"] {
        for i in 0..TRIES {
            let connect = connect(&server, &format!("c{i}"));
            let poller = Poller::open(&server).await;
            let body = [&connect, SAVE, ending].join("\u{1e}");
            assert_eq!(poller.post(&server, &body).await.status, 200);
            let poller = Poller::open(&server).await;
            assert_eq!(poller.post(&server, &connect).await.status, 200);
            let body = [SAVE, ending].join("\u{1e}");
            assert_eq!(poller.post(&server, &body).await.status, 200);
        }
        expected += TRIES * 2;
        let what = format!("{expected} events, the last ones before {ending:?}");
        counter.eventually(&what, expected).await;
        eventually_empty(&server).await;
    }
    server.stop().await;
}

/// Accepts a client when the test lets it.
struct HeldAuthenticator {
    asked: Arc<AtomicUsize>,
    gate: Arc<Semaphore>,
}

impl Authenticator for HeldAuthenticator {
    async fn authenticate(&self, credentials: Credentials) -> Result<Identity, AuthError> {
        self.asked.fetch_add(1, Ordering::SeqCst);
        self.gate.acquire().await.unwrap().forget();
        Anyone.authenticate(credentials).await
    }
}

#[tokio::test]
async fn a_client_that_polls_may_close_its_connection_while_its_event_waits() {
    let gate = Arc::new(Semaphore::new(0));
    let asked = Arc::new(AtomicUsize::new(0));
    let held = HeldAuthenticator {
        asked: Arc::clone(&asked),
        gate: Arc::clone(&gate),
    };
    let (counter, server) = SaveCounter::server(|builder| builder.authenticator(held)).await;
    let poller = Poller::open(&server).await;
    let body = ["40", SAVE].join("\u{1e}");
    let mut tcp = poller.begin_post(body.len(), &body).await;
    eventually("the authentication", || asked.load(Ordering::SeqCst) == 1).await;
    tcp.shutdown().await.unwrap();
    let mut rest = Vec::new();
    within("the end of the connection", tcp.read_to_end(&mut rest))
        .await
        .unwrap();
    gate.add_permits(1);
    counter.eventually("the event", 1).await;
    server.stop().await;
}

//! The handle of one TCP connection.

use std::{
    net::SocketAddr,
    sync::{
        Arc, OnceLock, Weak,
        atomic::{AtomicBool, Ordering},
    },
    task::Waker,
};

use futures_util::task::AtomicWaker;
use parking_lot::Mutex;
use tokio::time::Instant;

use super::{
    Observer,
    idle::{Idle, IdleConnections},
    poll_answer::PollAnswer,
    requests::{RequestTimeouts, Requests},
    watch::Watch,
};
use crate::session::EndReason;

/// A handle of one TCP connection. Clones share the connection.
#[derive(Debug, Clone)]
pub(crate) struct Connection(Arc<ConnectionState>);

#[derive(Debug)]
struct ConnectionState {
    peer: SocketAddr,
    killed: AtomicBool,
    reading_stopped: AtomicBool,
    reader: AtomicWaker,
    writer: AtomicWaker,
    link: OnceLock<Arc<dyn Observer>>,
    poll_answer: Mutex<PollAnswer>,
    /// `None`: nothing watches the requests, or the connection is no longer one of HTTP.
    watch: Mutex<Option<Box<Watch>>>,
}

impl Connection {
    #[cfg_attr(
        not(feature = "axum"),
        allow(dead_code, reason = "made by serve and GuardedListener alone")
    )]
    pub(crate) fn new(peer: SocketAddr) -> Self {
        Self(Arc::new(ConnectionState {
            peer,
            killed: AtomicBool::new(false),
            reading_stopped: AtomicBool::new(false),
            reader: AtomicWaker::new(),
            writer: AtomicWaker::new(),
            link: OnceLock::new(),
            poll_answer: Mutex::default(),
            watch: Mutex::default(),
        }))
    }

    /// Returns the address of the peer.
    pub(crate) fn peer(&self) -> SocketAddr {
        self.0.peer
    }

    /// Ends the connection: pending and later reads and writes fail.
    pub(crate) fn kill(&self) {
        self.0.killed.store(true, Ordering::Release);
        self.0.reader.wake();
        self.0.writer.wake();
    }

    pub(super) fn is_killed(&self) -> bool {
        self.0.killed.load(Ordering::Acquire)
    }

    /// Reads nothing more from the connection until it is killed.
    pub(crate) fn stop_reading(&self) {
        self.0.reading_stopped.store(true, Ordering::Release);
    }

    pub(super) fn is_reading_stopped(&self) -> bool {
        self.0.reading_stopped.load(Ordering::Acquire)
    }

    /// Makes the connection a WebSocket of `link`. A connection carries one link for its whole
    /// life: a second one is ignored.
    pub(crate) fn upgrade(&self, link: Arc<dyn Observer>) {
        self.0.link.set(link).ok();
    }

    /// Records that the head of a request has come.
    pub(crate) fn begin_request(&self) {
        *self.0.poll_answer.lock() = PollAnswer::None;
    }

    /// Records that the next bytes written answer a poll of this link.
    pub(crate) fn begin_poll_answer(&self, link: Weak<dyn Observer>) {
        *self.0.poll_answer.lock() = PollAnswer::Partial(link);
    }

    /// Records that HTTP has the whole body of the answer.
    pub(crate) fn complete_poll_answer(&self) {
        self.0.poll_answer.lock().complete();
    }

    /// Records that HTTP has written everything it had. Returns whether the connection waits for
    /// another request since then.
    pub(super) fn flushed(&self) -> bool {
        self.0.poll_answer.lock().flush();
        self.0
            .change_requests(|requests| requests.flush(Instant::now()))
            .unwrap_or(false)
    }

    /// Gives up the peer because it takes nothing: ends its links and kills the connection.
    pub(super) fn stalled(&self) {
        // A statement of its own: the lock is not held while the links are called.
        let answered = self.0.poll_answer.lock().link();
        if let Some(link) = answered {
            link.lose(EndReason::Slow);
        }
        if let Some(link) = self.0.link.get() {
            link.lose(EndReason::Slow);
        }
        // The engine ignores write errors, so that its read must fail, too.
        self.kill();
    }

    /// Ends the link whose poll answer was not written before the connection ended.
    pub(super) fn closed(&self) {
        self.0.watch.lock().take();
        let unwritten = self.0.poll_answer.lock().link_with_unwritten();
        if let Some(link) = unwritten {
            link.lose(EndReason::TransportLost);
        }
    }

    /// Records bytes that the peer sent.
    pub(super) fn read(&self, bytes: &[u8]) {
        self.0
            .change_requests(|requests| requests.read(bytes, Instant::now()));
    }

    /// Returns when the connection is to end, unless a request comes before.
    pub(super) fn request_deadline(&self) -> Option<Instant> {
        let watch = self.0.watch.lock();
        watch.as_ref().and_then(|watch| watch.deadline())
    }

    pub(super) fn register_reader(&self, waker: &Waker) {
        self.0.reader.register(waker);
    }

    pub(super) fn register_writer(&self, waker: &Waker) {
        self.0.writer.register(waker);
    }

    pub(super) fn wake_reader(&self) {
        self.0.reader.wake();
    }

    /// Returns a handle that does not keep the connection alive. A link holds this one, since the
    /// connection holds its link.
    pub(crate) fn downgrade(&self) -> WeakConnection {
        WeakConnection(Arc::downgrade(&self.0))
    }
}

#[cfg_attr(
    not(feature = "axum"),
    allow(dead_code, reason = "called by serve alone")
)]
impl Connection {
    /// Gives the requests of the connection deadlines, from now on. While it is idle, it is among
    /// the `idle` ones.
    ///
    /// The caller must record every request: [`serve_request`](Self::serve_request),
    /// then [`complete_answer`](Self::complete_answer) or [`leave_http`](Self::leave_http).
    pub(crate) fn watch_requests(&self, timeouts: RequestTimeouts, idle: Arc<IdleConnections>) {
        let state = Arc::downgrade(&self.0);
        let watch = Watch::new(state, timeouts, idle);
        *self.0.watch.lock() = Some(Box::new(watch));
    }

    /// Records that HTTP has read the head of a request. `body` is the length of the body, if it is
    /// known.
    pub(crate) fn serve_request(&self, body: Option<u64>) {
        self.0.change_requests(|requests| requests.serve(body));
    }

    /// Records that HTTP has the whole answer.
    pub(crate) fn complete_answer(&self) {
        self.0.change_requests(Requests::answer);
    }

    /// Records that the answer changes the protocol: there are no more requests.
    pub(crate) fn leave_http(&self) {
        self.0.watch.lock().take();
    }
}

impl ConnectionState {
    fn change_requests<R>(&self, change: impl FnOnce(&mut Requests) -> R) -> Option<R> {
        self.watch.lock().as_mut().map(|watch| watch.change(change))
    }
}

impl Idle for ConnectionState {
    fn end_if_idle(&self) -> bool {
        let ended = self.change_requests(|requests| requests.end_if_idle(Instant::now()));
        let ended = ended.unwrap_or(false);
        if ended {
            self.reader.wake();
        }
        ended
    }
}

/// A handle of a TCP connection that does not keep it alive.
#[derive(Debug)]
pub(crate) struct WeakConnection(Weak<ConnectionState>);

impl WeakConnection {
    /// Returns the connection if it is still open.
    pub(crate) fn upgrade(&self) -> Option<Connection> {
        self.0.upgrade().map(Connection)
    }
}

//! The handle of one TCP connection.

use std::{
    net::SocketAddr,
    sync::{Arc, Weak},
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
    reader: AtomicWaker,
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
            reader: AtomicWaker::new(),
            poll_answer: Mutex::default(),
            watch: Mutex::default(),
        }))
    }

    /// Returns the address of the peer.
    pub(crate) fn peer(&self) -> SocketAddr {
        self.0.peer
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

    /// Gives up the peer because it takes nothing: ends the link whose poll is being answered.
    pub(super) fn stalled(&self) {
        // A statement of its own: the lock is not held while the link is called.
        let answered = self.0.poll_answer.lock().link();
        if let Some(link) = answered {
            link.lose(EndReason::Slow);
        }
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

    pub(super) fn wake_reader(&self) {
        self.0.reader.wake();
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

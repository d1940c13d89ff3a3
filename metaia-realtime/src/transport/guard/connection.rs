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

use super::{Observer, poll_answer::PollAnswer};
use crate::session::EndReason;

/// A handle of one TCP connection. Clones share the connection.
#[derive(Debug, Clone)]
pub(crate) struct Connection(Arc<ConnectionState>);

#[derive(Debug)]
struct ConnectionState {
    #[cfg_attr(
        not(feature = "axum"),
        allow(dead_code, reason = "read by serve and GuardedListener alone")
    )]
    peer: SocketAddr,
    killed: AtomicBool,
    reading_stopped: AtomicBool,
    reader: AtomicWaker,
    writer: AtomicWaker,
    link: OnceLock<Arc<dyn Observer>>,
    poll_answer: Mutex<PollAnswer>,
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
        }))
    }

    /// Returns the address of the peer.
    #[cfg_attr(
        not(feature = "axum"),
        allow(dead_code, reason = "read by serve and GuardedListener alone")
    )]
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

    /// Records that HTTP has written everything it had.
    pub(super) fn flushed(&self) {
        self.0.poll_answer.lock().flush();
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
        let unwritten = self.0.poll_answer.lock().link_with_unwritten();
        if let Some(link) = unwritten {
            link.lose(EndReason::TransportLost);
        }
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

/// A handle of a TCP connection that does not keep it alive.
#[derive(Debug)]
pub(crate) struct WeakConnection(Weak<ConnectionState>);

impl WeakConnection {
    /// Returns the connection if it is still open.
    pub(crate) fn upgrade(&self) -> Option<Connection> {
        self.0.upgrade().map(Connection)
    }
}

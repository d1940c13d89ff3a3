//! Our wrapper around each TCP connection: a kill switch, and a count of the packets written.
//!
//! A transport that awaits a write to a peer that does not read can be ended only from below:
//! [`Connection::kill`] fails the next read and write at once. The count is what gives a session
//! its credit window back, without timers.
//!
//! At the edges: where the peer takes nothing for too long, its link is told that it was too slow,
//! and the connection is killed. Where a connection ends before the answer to a poll was written,
//! the link is lost: what stood there is nowhere else, and the client must come back to get it.

mod answer;
mod hold;
mod io;
mod observer;
#[cfg(feature = "axum")]
mod peer;
mod scan;
mod stall;

use std::{
    net::SocketAddr,
    sync::{
        Arc, Mutex, MutexGuard, OnceLock, PoisonError, Weak,
        atomic::{AtomicBool, Ordering},
    },
};

use futures_util::task::AtomicWaker;

#[cfg_attr(
    not(feature = "axum"),
    allow(unused_imports, reason = "mounted by serve and GuardedListener alone")
)]
pub(crate) use io::GuardedIo;
pub(crate) use observer::Observer;
#[cfg(feature = "axum")]
pub use peer::PeerAddr;
pub(crate) use scan::{PacketScanner, Written};

use crate::session::EndReason;
use answer::Answer;

/// One TCP connection. A handle: clones share it.
#[derive(Debug, Clone)]
pub(crate) struct Connection(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    #[cfg_attr(
        not(feature = "axum"),
        allow(dead_code, reason = "read by serve and GuardedListener alone")
    )]
    peer: SocketAddr,
    killed: AtomicBool,
    upgraded: AtomicBool,
    reader: AtomicWaker,
    writer: AtomicWaker,
    link: OnceLock<Arc<dyn Observer>>,
    answer: Mutex<Answer>,
}

impl Connection {
    #[cfg_attr(
        not(feature = "axum"),
        allow(dead_code, reason = "made by serve and GuardedListener alone")
    )]
    pub(crate) fn new(peer: SocketAddr) -> Self {
        Self(Arc::new(Shared {
            peer,
            killed: AtomicBool::new(false),
            upgraded: AtomicBool::new(false),
            reader: AtomicWaker::new(),
            writer: AtomicWaker::new(),
            link: OnceLock::new(),
            answer: Mutex::default(),
        }))
    }

    /// Who is at the other end.
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

    /// From the head of the next answer on, what is written is WebSocket frames of this link. Said
    /// before the `101` is written. A connection carries one link for life: a second one is
    /// ignored.
    pub(crate) fn upgrade(&self, link: Arc<dyn Observer>) {
        if self.0.link.set(link).is_ok() {
            self.0.upgraded.store(true, Ordering::Release);
        }
    }

    /// The head of a request has come.
    pub(crate) fn asked(&self) {
        *self.answer() = Answer::None;
    }

    /// What is written next answers a poll of this link.
    pub(crate) fn answers(&self, observer: Weak<dyn Observer>) {
        *self.answer() = Answer::Beginning(observer);
    }

    /// The body of the answer has been handed over.
    pub(crate) fn answer_is_whole(&self) {
        self.answer().is_whole();
    }

    fn answer(&self) -> MutexGuard<'_, Answer> {
        self.0.answer.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The peer is given up. The engine ignores that of its writes: its read must fail.
    fn stalled(&self) {
        let answered = self.answer().link();
        for link in answered.iter().map(|link| &**link).chain(self.websocket()) {
            link.lose(EndReason::Slow);
        }
        self.kill();
    }

    /// All that was to be written has been.
    fn flushed(&self) {
        self.answer().flushed();
    }

    /// The connection is no more.
    fn gone(&self) {
        let unwritten = self.answer().unwritten();
        if let Some(link) = unwritten {
            link.lose(EndReason::TransportLost);
        }
    }

    /// A handle that keeps nothing alive: what the link has, since the connection has the link.
    pub(crate) fn downgrade(&self) -> WeakConnection {
        WeakConnection(Arc::downgrade(&self.0))
    }

    /// The link, once the connection is a WebSocket of it.
    fn websocket(&self) -> Option<&dyn Observer> {
        self.0
            .link
            .get()
            .map(|link| &**link)
            .filter(|_| self.0.upgraded.load(Ordering::Acquire))
    }

    fn is_killed(&self) -> bool {
        self.0.killed.load(Ordering::Acquire)
    }
}

/// One TCP connection, unless it has gone.
#[derive(Debug)]
pub(crate) struct WeakConnection(Weak<Shared>);

impl WeakConnection {
    /// The connection, if it is still there.
    pub(crate) fn upgrade(&self) -> Option<Connection> {
        self.0.upgrade().map(Connection)
    }
}

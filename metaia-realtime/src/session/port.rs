//! The interface of a session to its transport: the only way in which the session core knows one.

use super::{EndReason, Session, Taken};
use crate::node::TransportKind;

/// One connection, as its session sees it.
///
/// The dispatcher appends to many sessions first. Then it calls [`prepare`](Self::prepare) on some
/// of them, and [`write`](Self::write) on the same ones. So an implementation may write all that is
/// queued in one system call, and the system calls of several sessions follow each other closely: a
/// receiver that is still awake costs less than one that must be woken.
pub(crate) trait Port: Send + Sync {
    /// Wakes the session's task, since something is queued or the session has changed. Never
    /// blocks.
    fn wake(&self);

    /// Takes what is queued for `session`, whose port this is, with [`Session::take_packets`], to
    /// be written by [`write`](Self::write). By default the session's task does both: it is woken,
    /// and there is nothing to write. Called without locks. Never blocks.
    fn prepare(&self, _session: &Session) -> Option<Taken> {
        self.wake();
        None
    }

    /// Writes what was `taken`, on the caller's thread. Called without locks. Never blocks.
    fn write(&self, _session: &Session, _taken: Taken) {}

    /// Returns how much was written; `None` if the transport cannot count that. The session then
    /// has no credit window.
    fn progress(&self) -> Option<Progress>;

    /// Returns the most packets that the transport may hold now, which are handed over and not yet
    /// written. The rest waits in the session.
    fn max_unwritten(&self) -> usize {
        usize::MAX
    }

    /// Returns what the packets go over now; `None` if that is not known.
    fn transport(&self) -> Option<TransportKind> {
        None
    }

    /// Returns why the transport wants the session to end, if it does: the session then ends as for
    /// any other reason. A connection that is broken closes by itself instead.
    fn wants_end(&self) -> Option<EndReason> {
        None
    }

    /// Closes the connection: at once, or if the client is sent `rt:end`, when that has had time to
    /// be written. Called once, when the session has ended. Never blocks.
    fn close(&self, end: EndReason);
}

/// Counts of a connection. The first three are numbers of events and acks since the session began.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Progress {
    /// Written to the socket.
    pub(crate) written: u64,
    /// Written before the last ping was written. Read after `written`, so that a ping among what
    /// was written is counted.
    pub(crate) pinged: u64,
    /// Written before the last ping that the client answered: the client has certainly received
    /// these.
    pub(crate) answered: u64,
    /// Pings that the client has answered since the connection began. If the number has changed,
    /// the client is alive.
    pub(crate) pongs: u64,
}

/// A port that does nothing and reports no progress.
#[cfg(any(test, feature = "__bench"))]
pub(crate) struct SilentPort;

#[cfg(any(test, feature = "__bench"))]
impl Port for SilentPort {
    fn wake(&self) {}
    fn progress(&self) -> Option<Progress> {
        None
    }
    fn close(&self, _: EndReason) {}
}

//! What the session core asks of a transport. It knows no transport but by this.

use super::EndReason;

/// One connection, as its session sees it.
///
/// The dispatcher appends to many sessions first and calls [`wake`](Self::wake) on each of them
/// after that, so that an implementation may write all that is queued in one system call. It takes
/// what is queued with [`Session::take`](super::Session::take).
pub(crate) trait Port: Send + Sync {
    /// Something is queued, or the session has changed: look at it soon. Never blocks.
    fn wake(&self);

    /// How far the connection is, or `None` where that cannot be seen: the session then has no
    /// credit window.
    fn progress(&self) -> Option<Progress>;

    /// The session has ended: end the connection in the way that `end` asks for. Called once. Never
    /// blocks.
    fn close(&self, end: EndReason);
}

/// How far a connection is: each a number of events and acks since the session began.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Progress {
    /// Written to the socket.
    pub(crate) written: u64,
    /// Written before the last ping was. Read after `written`, so that a ping among what was
    /// written is in it.
    pub(crate) pinged: u64,
    /// Written before the last ping that the client answered: these it has certainly received.
    pub(crate) answered: u64,
    /// How many pings the client has answered: another number than before means that it is alive.
    /// Counted since the connection began.
    pub(crate) pongs: u64,
}

/// A client of which nothing is seen.
#[cfg(any(test, feature = "__bench"))]
pub(crate) struct Nowhere;

#[cfg(any(test, feature = "__bench"))]
impl Port for Nowhere {
    fn wake(&self) {}
    fn progress(&self) -> Option<Progress> {
        None
    }
    fn close(&self, _: EndReason) {}
}

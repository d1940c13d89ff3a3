//! How frames reach clients. The session core knows the [`Port`] alone, and no transport crate.

pub(crate) mod guard;
pub(crate) mod socketio;

use crate::session::End;

/// One connection, as its session sees it.
///
/// The dispatcher appends to many sessions first and calls [`wake`](Self::wake) on each of them after that, so that an
/// implementation may write all that is queued in one system call. It takes what is queued with
/// [`Session::take`](crate::session::Session::take).
pub(crate) trait Port: Send + Sync {
    /// Something is queued, or the session has changed: look at it soon. Never blocks.
    fn wake(&self);

    /// How many events and acks have been written to the socket so far, or `None` where that cannot be seen: the
    /// session then has no credit window.
    fn written(&self) -> Option<u64>;

    /// The session has ended: end the connection in the way that `end` asks for. Called once. Never blocks.
    fn close(&self, end: End);
}

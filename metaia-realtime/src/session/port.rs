//! What the session core asks of a transport. It knows no transport but by this.

use super::End;

/// One connection, as its session sees it.
///
/// The dispatcher appends to many sessions first and calls [`wake`](Self::wake) on each of them after that, so that an
/// implementation may write all that is queued in one system call. It takes what is queued with
/// [`Session::take`](super::Session::take).
pub(crate) trait Port: Send + Sync {
    /// Something is queued, or the session has changed: look at it soon. Never blocks.
    fn wake(&self);

    /// How many events and acks have been written to the socket so far, or `None` where that cannot be seen: the
    /// session then has no credit window.
    fn written(&self) -> Option<u64>;

    /// The session has ended: end the connection in the way that `end` asks for. Called once. Never blocks.
    fn close(&self, end: End);
}

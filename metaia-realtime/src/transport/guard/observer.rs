//! The trait by which a connection notifies the transport that uses it.

use std::fmt::Debug;

use super::Written;
use crate::session::EndReason;

/// A link that is notified of what passes over a connection.
///
/// The connection calls it while it reads and writes, so that every method returns at once.
pub(crate) trait Observer: Debug + Send + Sync {
    /// Counts packets that were written to one of the link's WebSockets.
    fn written(&self, written: Written);

    /// Records a pong that came over one of the link's WebSockets.
    fn pong(&self);

    /// Counts `bytes` that came over one of the link's WebSockets.
    fn read(&self, bytes: usize);

    /// Ends the link, since a connection that carried it is of no use any more.
    fn lose(&self, why: EndReason);
}

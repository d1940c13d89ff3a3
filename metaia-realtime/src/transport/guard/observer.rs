//! The trait by which a connection notifies the transport that uses it.

use std::fmt::Debug;

use crate::session::EndReason;

/// A link that a connection carries.
///
/// The connection calls it while it reads and writes, so that the method returns at once.
pub(crate) trait Observer: Debug + Send + Sync {
    /// Ends the link, since a connection that carried it is of no use any more.
    fn lose(&self, why: EndReason);
}

//! The state that the handles and the thread share.

use std::sync::atomic::AtomicU64;

use parking_lot::{Condvar, Mutex};

use super::queue::LineQueue;

/// The target of the line that names the number of lost ones. It has a place in a full queue.
pub(super) const NOTICE: &str = "metaia_server::line_output";

#[derive(Debug, Default)]
pub(super) struct OutputState {
    pub(super) queue: Mutex<LineQueue>,
    /// Notified when there are lines to write, and when the output is to end.
    pub(super) filled: Condvar,
    /// Notified when the thread ends.
    pub(super) ended: Condvar,
    /// The number of lines that were lost so far.
    pub(super) lost: AtomicU64,
}

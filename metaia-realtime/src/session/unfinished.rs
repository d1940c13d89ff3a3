//! The work of a session that goes on where the session is driven next, if it is paused.

use std::{pin::Pin, time::Duration};

use futures_util::{future::BoxFuture, stream::FuturesUnordered};
use tokio::time::Sleep;

/// The time for which a session waits for the `rt:resume` that its client has announced.
const RESUME_EVENT_TIMEOUT: Duration = Duration::from_secs(5);

/// The work of a session beside its inbound events.
pub(super) struct Unfinished {
    /// At most one per order room, and one more if the session has left it and is in it again.
    pub(super) deciding: FuturesUnordered<BoxFuture<'static, ()>>,
    /// One per fence, and no longer than it waits.
    pub(super) head_reads: FuturesUnordered<BoxFuture<'static, ()>>,
    /// The step of catching up that is being taken.
    pub(super) step: Option<BoxFuture<'static, ()>>,
    pub(super) resume_timeout: Pin<Box<Sleep>>,
}

impl Unfinished {
    /// Returns whether nothing has begun.
    pub(super) fn is_empty(&self) -> bool {
        self.deciding.is_empty() && self.head_reads.is_empty() && self.step.is_none()
    }
}

impl Default for Unfinished {
    fn default() -> Self {
        Self {
            deciding: FuturesUnordered::new(),
            head_reads: FuturesUnordered::new(),
            step: None,
            resume_timeout: Box::pin(tokio::time::sleep(RESUME_EVENT_TIMEOUT)),
        }
    }
}

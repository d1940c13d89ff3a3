//! The time for which a write has been blocked.
//!
//! The kernel's own timeout for this (`TCP_USER_TIMEOUT`) is not used: it keeps running while a
//! peer takes less at a time than the segment that is first in the queue, and so gives up peers
//! that read slowly. The kernel holds little unsent data (`TCP_NOTSENT_LOWAT`), so that the next
//! write succeeds as soon as the peer takes a few kilobytes.

use std::{
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use tokio::time::Sleep;

/// A timeout that runs while a write is blocked.
#[derive(Debug)]
pub(super) struct WriteStall {
    timeout: Duration,
    timer: Option<Pin<Box<Sleep>>>,
}

impl WriteStall {
    pub(super) const fn new(timeout: Duration) -> Self {
        Self {
            timeout,
            timer: None,
        }
    }

    /// Starts the timer if a write has just become blocked. Ready once the timeout has passed.
    pub(super) fn poll_blocked(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let timeout = self.timeout;
        self.timer
            .get_or_insert_with(|| Box::pin(tokio::time::sleep(timeout)))
            .as_mut()
            .poll(cx)
    }

    /// Stops the timer: something was written.
    pub(super) fn clear(&mut self) {
        self.timer = None;
    }
}

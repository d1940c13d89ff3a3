//! How long a write has been waiting.
//!
//! The kernel's own clock for this (`TCP_USER_TIMEOUT`) is not used: it goes on while a peer takes
//! less at a time than the segment that waits first, and so gives up peers that read slowly. Little
//! stands unsent in the kernel (`TCP_NOTSENT_LOWAT`), so that whoever takes some kilobytes lets the
//! next write go through.

use std::{
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use tokio::time::Sleep;

/// Runs while a write is blocked.
#[derive(Debug)]
pub(super) struct Stall {
    after: Duration,
    clock: Option<Pin<Box<Sleep>>>,
}

impl Stall {
    pub(super) const fn new(after: Duration) -> Self {
        Self { after, clock: None }
    }

    /// Writing is blocked. Ready when it has been for too long.
    pub(super) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let after = self.after;
        self.clock
            .get_or_insert_with(|| Box::pin(tokio::time::sleep(after)))
            .as_mut()
            .poll(cx)
    }

    /// Something was written.
    pub(super) fn ends(&mut self) {
        self.clock = None;
    }
}

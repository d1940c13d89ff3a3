//! What a doorbell tells of the other nodes.

use std::{fmt, sync::Arc};

/// Where a [`Doorbell`](super::Doorbell) brings what it hears. A handle: clones lead to the same
/// node.
#[derive(Clone)]
pub struct FrameReceiver(Arc<dyn FrameHandler>);

/// Who listens.
pub(crate) trait FrameHandler: Send + Sync {
    fn receive(&self, frame: &[u8]);
    fn connected(&self, connected: bool);
}

impl FrameReceiver {
    pub(crate) fn of(hearing: impl FrameHandler + 'static) -> Self {
        Self(Arc::new(hearing))
    }

    /// An ear of your own, for the tests of a doorbell: `received` is called with every frame.
    pub fn new(received: impl Fn(&[u8]) + Send + Sync + 'static) -> Self {
        Self::of(Frames(received))
    }

    /// A frame came, from whomever. It is checked here. Never blocks, and costs little, whatever
    /// the bytes are.
    pub fn receive(&self, frame: &[u8]) {
        self.0.receive(frame);
    }

    /// The line is there, or is there again: what was rung meanwhile was missed, and is looked for
    /// now.
    pub fn connected(&self) {
        self.0.connected(true);
    }

    /// The line is gone. Frames are lost until [`connected`](Self::connected).
    pub fn lost(&self) {
        self.0.connected(false);
    }
}

impl fmt::Debug for FrameReceiver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ear").finish_non_exhaustive()
    }
}

struct Frames<F>(F);

impl<F: Fn(&[u8]) + Send + Sync> FrameHandler for Frames<F> {
    fn receive(&self, frame: &[u8]) {
        (self.0)(frame);
    }
    fn connected(&self, _: bool) {}
}

//! The receiving end of a doorbell: frames of other nodes, and the state of the connection.

use std::{fmt, sync::Arc};

/// The receiver of the frames that a [`Doorbell`](super::Doorbell) carries to this node. A handle:
/// clones lead to the same node.
#[derive(Clone)]
pub struct FrameReceiver(Arc<dyn FrameHandler>);

/// The handler behind a receiver: the node.
pub(crate) trait FrameHandler: Send + Sync {
    fn receive(&self, frame: &[u8]);
    fn connected(&self, connected: bool);
}

impl FrameReceiver {
    pub(crate) fn from_handler(handler: impl FrameHandler + 'static) -> Self {
        Self(Arc::new(handler))
    }

    /// Creates a receiver that calls `on_frame` with every frame, for the tests of a doorbell.
    pub fn new(on_frame: impl Fn(&[u8]) + Send + Sync + 'static) -> Self {
        Self::from_handler(Callback(on_frame))
    }

    /// Receives a frame from any sender and checks it. Never blocks, and costs little, whatever the
    /// bytes are.
    pub fn receive(&self, frame: &[u8]) {
        self.0.receive(frame);
    }

    /// Reports that the doorbell is connected, for the first time or again. The node reads the log
    /// now, because it may have missed notifications.
    pub fn connected(&self) {
        self.0.connected(true);
    }

    /// Reports that the connection is lost. Frames are lost until [`connected`](Self::connected).
    pub fn lost(&self) {
        self.0.connected(false);
    }
}

impl fmt::Debug for FrameReceiver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FrameReceiver").finish_non_exhaustive()
    }
}

struct Callback<F>(F);

impl<F: Fn(&[u8]) + Send + Sync> FrameHandler for Callback<F> {
    fn receive(&self, frame: &[u8]) {
        (self.0)(frame);
    }
    fn connected(&self, _: bool) {}
}

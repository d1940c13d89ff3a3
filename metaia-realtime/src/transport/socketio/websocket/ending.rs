//! The end of what a client sends over its WebSocket.

use std::{
    future::Future,
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use tokio::time::Sleep;
use tokio_tungstenite::tungstenite::protocol::frame::coding::Control;

use super::frame::append_client_control;

/// The end of what a client sends. It has its turn behind the packets that wait, but not after the
/// deadline.
pub(super) struct Ending {
    /// The payload of the close frame, if there is one that the engine does not have yet.
    close_frame: Option<Vec<u8>>,
    deadline: Pin<Box<Sleep>>,
}

impl Ending {
    /// Creates the end of a connection, whose packets have the time `timeout`.
    pub(super) fn new(timeout: Duration) -> Self {
        Self {
            close_frame: None,
            deadline: Box::pin(tokio::time::sleep(timeout)),
        }
    }

    /// Creates the end by a close frame with this payload.
    pub(super) fn with_close_frame(payload: Vec<u8>, timeout: Duration) -> Self {
        Self {
            close_frame: Some(payload),
            ..Self::new(timeout)
        }
    }

    /// Appends the close frame, if there is one. Later calls append none.
    pub(super) fn append_close_frame(&mut self, frames: &mut Vec<u8>) {
        if let Some(payload) = self.close_frame.take() {
            append_client_control(frames, Control::Close, &payload);
        }
    }

    /// Ready once the packets that wait have no more time.
    pub(super) fn poll_deadline(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        self.deadline.as_mut().poll(cx)
    }
}

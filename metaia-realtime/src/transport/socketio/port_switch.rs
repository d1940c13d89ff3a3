//! The switch of a session's port from the engine to a WebSocket.

use std::sync::OnceLock;

use crate::session::Port;

/// The switch of a session's port, which is turned once.
pub(super) struct PortSwitch {
    /// Packets that the engine had taken before this session began, and may have yet to write: a
    /// client may leave and CONNECT again over the same link.
    pub(super) handed_over_before: u64,
    websocket: OnceLock<Box<dyn Port>>,
}

impl PortSwitch {
    pub(super) const fn new(handed_over_before: u64) -> Self {
        Self {
            handed_over_before,
            websocket: OnceLock::new(),
        }
    }

    /// Moves the session to the port of a WebSocket.
    pub(super) fn move_to(&self, websocket: Box<dyn Port>) {
        self.websocket.set(websocket).ok();
    }

    /// Returns the port of the WebSocket, if the session has moved to one.
    pub(super) fn websocket(&self) -> Option<&dyn Port> {
        self.websocket.get().map(|port| &**port)
    }
}

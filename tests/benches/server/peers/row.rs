//! The rows of the table.

use super::contender::{BATCHING_FLOOR, BUSY_FLOOR, Contender};
use super::pattern::Pattern;
use crate::crowd::{Door, Opening};

/// A server, and the way in which its clients connect.
#[derive(Debug, Clone, Copy)]
pub(super) struct Row {
    pub(super) contender: &'static Contender,
    pub(super) opening: Opening,
}

impl Row {
    /// Returns the rows of a server.
    pub(super) fn of(contender: &'static Contender) -> Vec<Self> {
        let openings = [Opening::WebSocket, Opening::Upgrade];
        let rows = openings.map(|opening| Self { contender, opening });
        // Only Socket.IO has polling.
        let possible = if contender.ready.is_some() { 2 } else { 1 };
        rows[..possible].to_vec()
    }

    /// Returns the row's head.
    pub(super) fn title(&self) -> String {
        match self.opening {
            Opening::WebSocket => self.contender.title.to_owned(),
            Opening::Upgrade => format!("{}; polling, then upgrade", self.contender.title),
        }
    }

    /// Returns true if the row has figures of a pattern. `is_full` is false for a short run.
    pub(super) fn has(&self, pattern: Pattern, is_full: bool) -> bool {
        match (self.contender.name, self.opening) {
            ("memory", _) => true,
            // Connections cost what they cost with `memory`.
            ("sqlite", opening) => pattern.is_delivery() && opening == Opening::WebSocket,
            // In all other patterns it does what the other floor does.
            _ if self.contender.title == BATCHING_FLOOR => pattern == Pattern::FanOutOf4,
            _ if self.contender.title == BUSY_FLOOR => {
                matches!(pattern, Pattern::FanOut | Pattern::Unicast)
            }
            (_, Opening::WebSocket) => true,
            // What an upgraded client of a peer receives costs what it costs in the row above.
            (_, Opening::Upgrade) => is_full && !pattern.is_delivery(),
        }
    }

    /// Returns where the clients connect, on this port.
    pub(super) fn door(&self, port: u16) -> Door {
        Door {
            port,
            opening: self.opening,
            ready: self.contender.ready,
        }
    }
}

//! The session core's [`Port`] over a connection.

use std::sync::Arc;

use super::connection::DirectConnection;
use crate::{
    node::TransportKind,
    session::{EndReason, Port, Progress, Session, Taken},
};

/// The port of one session.
pub(super) struct DirectPort {
    connection: Arc<DirectConnection>,
    /// Packets of earlier sessions of the connection: a client may leave and CONNECT again.
    taken_before: u64,
}

impl DirectPort {
    /// Creates the port of a session that begins.
    pub(super) fn new(connection: &Arc<DirectConnection>) -> Self {
        Self::continued(connection, connection.taken())
    }

    /// Creates the port of a session that goes on. Packets of earlier sessions are `taken_before`.
    pub(super) fn continued(connection: &Arc<DirectConnection>, taken_before: u64) -> Self {
        Self {
            taken_before,
            connection: Arc::clone(connection),
        }
    }
}

impl Port for DirectPort {
    fn wake(&self) {
        self.connection.wake.notify_one();
    }

    fn prepare(&self, session: &Session) -> Option<Taken> {
        // A task that does not rest writes by itself, together with what it has to write.
        if !self.connection.is_resting() {
            self.wake();
            return None;
        }
        Some(self.connection.take_packets(session))
    }

    fn write(&self, session: &Session, taken: Taken) {
        let flushed = self.connection.flush_taken(session, taken);
        session.record_written(flushed.entries);
        if !flushed.is_done {
            self.wake();
        }
    }

    fn progress(&self) -> Option<Progress> {
        let of_connection = self.connection.progress();
        let of_session = |count: u64| count.saturating_sub(self.taken_before);
        Some(Progress {
            written: of_session(of_connection.written),
            pinged: of_session(of_connection.pinged),
            answered: of_session(of_connection.answered),
            pongs: of_connection.pongs,
        })
    }

    fn transport(&self) -> Option<TransportKind> {
        Some(TransportKind::WebSocket)
    }

    /// Wakes the connection's task, which sees that the session has ended.
    fn close(&self, _: EndReason) {
        self.wake();
    }
}

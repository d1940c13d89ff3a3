//! The session of a client that is in the namespace.

use std::sync::Arc;

use crate::{
    node::Node,
    session::{EndReason, InboundQueue, Session, SessionDriver},
};

/// The session of a client, and its work. Dropping it ends the session.
pub(super) struct JoinedSession {
    pub(super) node: Arc<Node>,
    pub(super) session: Arc<Session>,
    pub(super) inbound: InboundQueue,
    /// `None` if something else drives the session, or nothing any more.
    pub(super) driver: Option<SessionDriver>,
}

impl JoinedSession {
    /// Lets what the session has begun be finished, after its end.
    pub(super) fn finish(&mut self) {
        if let Some(driver) = self.driver.take() {
            driver.finish();
        }
    }
}

impl Drop for JoinedSession {
    fn drop(&mut self) {
        // Handlers of the session do not finish here: its task has panicked, or the node stops.
        self.node.end(&self.session, EndReason::TransportLost);
    }
}

//! The session that is attached to a socket.

use std::sync::{Arc, Mutex, PoisonError};

use socketioxide::socket::Sid;
use tokio::sync::mpsc;

use super::{link::Link, links::Links};
use crate::{
    node::Node,
    session::{EndReason, Inbound, InboundQueue, Session, Start},
};

/// The extension by which a socket holds its session.
#[derive(Clone)]
pub(super) struct Attached(pub(super) Arc<Attachment>);

/// A session and what its socket needs for it.
///
/// Dropping it ends the session, also if the socket goes before its CONNECT was answered.
pub(super) struct Attachment {
    pub(super) session: Arc<Session>,
    pub(super) inbound: InboundQueue,
    pub(super) node: Arc<Node>,
    pub(super) link: Arc<Link>,
    pub(super) links: Arc<Links>,
    pub(super) sid: Sid,
    /// The input of the session's task, until that begins.
    pub(super) task_input: Mutex<Option<TaskInput>>,
}

/// The input of a session's task.
pub(super) struct TaskInput {
    pub(super) start: Start,
    pub(super) events: mpsc::Receiver<Inbound>,
}

impl Attachment {
    /// Takes the input of the session's task, or returns `None` if the task has begun already.
    pub(super) fn take_task_input(&self) -> Option<TaskInput> {
        self.task_input
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take()
    }
}

impl Drop for Attachment {
    fn drop(&mut self) {
        self.node.end(&self.session, EndReason::TransportLost);
        // A client that is told to stay away has yet to fetch that packet, so its link remains
        // until the transport ends.
        let stays_away = self.session.ended_by().is_some_and(EndReason::stays_away);
        if !stays_away {
            self.links.remove(self.sid.as_str());
        }
    }
}

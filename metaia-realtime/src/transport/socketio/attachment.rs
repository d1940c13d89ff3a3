//! The session that is attached to a socket.

use std::sync::Arc;

use parking_lot::Mutex;
use socketioxide::socket::Sid;

use super::{link::Link, links::Links};
use crate::{
    node::Node,
    session::{EndReason, InboundEvents, InboundQueue, Session},
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
    /// The receiving end of `inbound`, until the session's task has it. The middleware must attach
    /// the session before CONNECT is answered, the task begins after that, and socketioxide gives
    /// the connect handler nothing but clones of the socket's extensions: so the handler takes the
    /// receiver out of the attachment that both share.
    pub(super) events: Mutex<Option<InboundEvents>>,
}

impl Attachment {
    /// Takes the inbound events for the session's task, or returns `None` if the task has them
    /// already.
    pub(super) fn take_events(&self) -> Option<InboundEvents> {
        self.events.lock().take()
    }
}

impl Drop for Attachment {
    fn drop(&mut self) {
        self.node.end(&self.session, EndReason::TransportLost);
        // A client that is told why has yet to fetch that packet, and one that has left may come
        // back: the link remains until the transport ends.
        let keeps_transport = self
            .session
            .ended_by()
            .is_some_and(EndReason::keeps_transport);
        if !keeps_transport {
            self.links.remove(self.sid.as_str());
            if self.link.is_polling() {
                // There may be a WebSocket to which the client has not switched.
                self.link.kill();
            }
        }
        self.link.membership.end();
    }
}

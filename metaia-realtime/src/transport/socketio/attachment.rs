//! The session that is attached to a socket.

use std::sync::Arc;

use super::{link::Link, links::Links, session_slot::SessionSlot};
use crate::session::EndReason;

/// The extension by which a socket holds its session.
#[derive(Clone)]
pub(super) struct Attached(pub(super) Arc<Attachment>);

/// The hold of a socket on its session.
///
/// Dropping it ends the session, also if the socket goes before its CONNECT was answered, unless
/// the session has been [taken](SessionSlot::take) for a WebSocket.
pub(super) struct Attachment {
    pub(super) slot: Arc<SessionSlot>,
    pub(super) link: Arc<Link>,
    pub(super) links: Arc<Links>,
}

impl Drop for Attachment {
    fn drop(&mut self) {
        if let Some(attached) = self.slot.take() {
            let session = Arc::clone(&attached.joined.session);
            drop(attached);
            // A client that is told why has yet to fetch that packet, and one that has left may
            // come back: the link remains until the transport ends.
            let keeps_transport = session.ended_by().is_some_and(EndReason::keeps_transport);
            if !keeps_transport && self.link.upgrade.close() {
                self.links.remove(&self.link.polling.sid);
            }
        }
        self.link.membership.end();
    }
}

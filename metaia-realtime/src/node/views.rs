//! The views of a node and its sessions, which the directory stores and admins see.

use super::Node;
use crate::{
    Room,
    presence::{FORMAT, NodeView, SessionView},
    session::Session,
    values::NodeId,
};

impl Node {
    /// Returns this node as it describes itself to the directory.
    pub(crate) fn view(&self) -> NodeView {
        NodeView {
            id: self.id,
            since: self.since,
            sessions: self.registry.len() as u64,
            format: FORMAT,
        }
    }
}

/// Returns the view of a session of `node`. The rooms are ordered by name; [`Room::Everyone`] is
/// not among them, since every session is in it.
pub(crate) fn session_view(node: NodeId, session: &Session) -> SessionView {
    let mut rooms: Vec<Room> = session.rooms().into_iter().collect();
    rooms.retain(|room| *room != Room::Everyone);
    rooms.sort_by_cached_key(Room::to_string);
    let identity = session.identity();
    SessionView {
        id: session.id,
        node,
        user: session.user.clone(),
        role: identity.who.role,
        rooms,
        device: session.device.clone(),
        connected_at: session.connected_at,
        expires_at: identity.who.expires_at,
        active_at: session.active_at(),
    }
}

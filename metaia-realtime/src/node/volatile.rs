//! The delivery of volatile events to the sessions of this node.

use std::sync::Arc;

use super::{Node, deliveries::Deliveries};
use crate::session::Volatile;

impl Node {
    /// Offers a volatile event to the sessions in its rooms on this node.
    pub(crate) fn deliver_volatile(&self, event: Volatile) {
        let event = Arc::new(event);
        let mut deliveries = Deliveries::new();
        for (index, room) in event.rooms.iter().enumerate() {
            for session in self.registry.members(room).chunks().flatten() {
                if session.offer_volatile(&event, index) {
                    deliveries.add(session);
                }
            }
        }
        deliveries.deliver_at_once();
    }
}

//! The delivery of volatile events to the sessions of this node.

use std::sync::Arc;

use tokio::runtime::Handle;

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
        self.deliver_volatile_events(deliveries);
    }

    /// Delivers to a few sessions at once, and to many in a task, which lets others run. A session
    /// has one delivery that waits at most, so that there are never more tasks than sessions.
    fn deliver_volatile_events(&self, deliveries: Deliveries) {
        if deliveries.are_many() && Handle::try_current().is_ok() {
            let counters = Arc::clone(&self.counters);
            self.tasks
                .spawn(async move { deliveries.deliver(&counters).await });
        } else {
            deliveries.deliver_at_once();
        }
    }
}

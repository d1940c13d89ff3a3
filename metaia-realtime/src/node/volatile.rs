//! The delivery of volatile events to the sessions of this node.

use std::sync::Arc;

use serde_json::value::RawValue;

use super::Node;
use crate::{Room, event::EventName, session::Volatile};

impl Node {
    /// Offers a volatile event to the sessions in `rooms` on this node.
    pub(crate) fn deliver_volatile(&self, name: EventName, payload: Box<RawValue>, rooms: &[Room]) {
        let event = Arc::new(Volatile { name, payload });
        for room in rooms {
            self.registry.each_in(room, |session| {
                if session.offer_volatile(&event, room) {
                    session.wake();
                }
            });
        }
    }
}

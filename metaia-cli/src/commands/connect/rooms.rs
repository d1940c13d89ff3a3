//! The rooms that a role's session is in, as far as the server has said.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};

use metaia_realtime::OrderId;
use metaia_realtime::client::Update;
use serde_json::Value;

/// The rooms of one role. Clones share them.
#[derive(Debug, Clone, Default)]
pub(super) struct Rooms(Arc<Mutex<HashSet<String>>>);

impl Rooms {
    /// Returns true if the session is in the room of this order.
    pub(super) fn contain_order(&self, order: &OrderId) -> bool {
        self.contains(&format!("order-{order}"))
    }

    /// Returns the ids of the orders whose rooms the session is in.
    pub(super) fn orders(&self) -> Vec<String> {
        self.change(|rooms| {
            let orders = rooms.iter().filter_map(|room| room.strip_prefix("order-"));
            orders.map(str::to_owned).collect()
        })
    }

    fn contains(&self, room: &str) -> bool {
        self.change(|rooms| rooms.contains(room))
    }

    /// Takes over the rooms of an update.
    pub(super) fn observe(&self, update: &Update) {
        match update {
            Update::Ready(ready) => {
                let joined = ready.rooms.iter().cloned().collect();
                self.change(|rooms| *rooms = joined);
            }
            Update::Event(event) if event.name == "rt:room_left" => self.leave(&event.data),
            _ => {}
        }
    }

    /// Takes over the room of the accepted answer to an event.
    pub(super) fn answered(&self, event: &str, answer: &Value) {
        match event {
            "join_order_room" => self.join(answer),
            "leave_order_room" => self.leave(answer),
            _ => {}
        }
    }

    fn join(&self, answer: &Value) {
        if let Some(room) = room_of(answer) {
            self.change(|rooms| rooms.insert(room.to_owned()));
        }
    }

    fn leave(&self, answer: &Value) {
        if let Some(room) = room_of(answer) {
            self.change(|rooms| rooms.remove(room));
        }
    }

    fn change<T>(&self, change: impl FnOnce(&mut HashSet<String>) -> T) -> T {
        // No change of a set can be left half done.
        change(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

fn room_of(answer: &Value) -> Option<&str> {
    answer.get("room").and_then(Value::as_str)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn joins_and_leaves_change_the_rooms() {
        let rooms = Rooms::default();
        let room = json!({"status": "ok", "room": "order-o1"});
        rooms.answered("x", &room);
        assert!(!rooms.contains("order-o1"));
        let shared = rooms.clone();
        shared.answered("join_order_room", &room);
        assert!(rooms.contains("order-o1") && shared.contains("order-o1"));
        rooms.answered("leave_order_room", &json!({"status": "ok"}));
        assert!(rooms.contains("order-o1"));
        rooms.answered("leave_order_room", &room);
        assert!(!rooms.contains("order-o1"));
    }
}

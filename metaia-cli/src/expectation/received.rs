//! An event that a watcher received, as expectations see it.

use std::time::Duration;

use metaia_realtime::client::ReceivedEvent;
use serde_json::{Map, Value};

use crate::clock;

/// The names of control events begin with it.
pub(super) const CONTROL: &str = "rt:";

/// The members that name an order: of an order itself, a payment, a notification, and of events
/// that a backend emits.
const ORDER_MEMBERS: [&str; 4] = ["_id", "orderId", "relatedOrder", "order"];

/// One received event.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Received {
    pub(crate) event: String,
    /// The payload, with its `_rt`.
    pub(crate) data: Value,
    pub(crate) id: Option<String>,
    pub(crate) position: Option<String>,
    /// Set if the event came before the session was live: it happened before, and was missed.
    pub(crate) replayed: bool,
    /// Set if the same connection has brought it before. It counts, unlike a copy after a
    /// reconnection: a server knows what it has sent on a connection.
    pub(crate) again: bool,
    /// Milliseconds from the commit to the receipt.
    pub(crate) latency_ms: Option<i64>,
    /// The time since the run began.
    pub(crate) at: Duration,
    /// `ROLE:USER`, or the name that a scenario gives.
    pub(crate) receiver: String,
}

impl Received {
    /// Returns an event that came at this time since the run began.
    pub(crate) fn of(receiver: &str, event: &ReceivedEvent, replayed: bool, at: Duration) -> Self {
        Self {
            event: event.name.clone(),
            data: event.data.clone(),
            id: event.id.clone(),
            position: event.at.clone(),
            replayed,
            again: false,
            latency_ms: event.latency_ms().map(clock::latency_ms),
            at,
            receiver: receiver.to_owned(),
        }
    }

    /// Returns the input of a filter: the line of `tail -o ndjson`, without the time of receipt.
    pub(crate) fn json(&self) -> Value {
        let mut line = Map::new();
        line.insert("as".to_owned(), self.receiver.as_str().into());
        line.insert("event".to_owned(), self.event.as_str().into());
        line.insert("data".to_owned(), self.data.clone());
        if let Some(id) = &self.id {
            line.insert("id".to_owned(), id.as_str().into());
        }
        if let Some(position) = &self.position {
            line.insert("position".to_owned(), position.as_str().into());
        }
        if let Some(latency_ms) = self.latency_ms {
            line.insert("latencyMs".to_owned(), latency_ms.into());
        }
        line.insert("replayed".to_owned(), self.replayed.into());
        Value::Object(line)
    }

    /// Returns whether the event is about the session and not of the application.
    pub(crate) fn is_control(&self) -> bool {
        self.event.starts_with(CONTROL)
    }

    /// Returns whether the payload names this order, by one of its members or by the order's room.
    pub(crate) fn concerns(&self, order: &str) -> bool {
        let members = ORDER_MEMBERS.iter().filter_map(|name| self.data.get(name));
        let mut named = members.map(|member| member.get("_id").unwrap_or(member));
        let room = self.data.get("room").and_then(Value::as_str);
        let of_room = room.and_then(|room| room.strip_prefix("order-"));
        of_room == Some(order) || named.any(|name| name == order)
    }
}

/// Builds events for tests.
#[cfg(test)]
pub(crate) mod fixture {
    use super::*;

    /// Returns a live event.
    pub(crate) fn received(event: &str, id: &str, data: Value) -> Received {
        Received {
            event: event.to_owned(),
            data,
            id: Some(id.to_owned()),
            position: Some(format!("p.{id}")),
            replayed: false,
            again: false,
            latency_ms: Some(3),
            at: Duration::from_millis(61),
            receiver: "customer:u1".to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::fixture::received;
    use super::*;

    #[test]
    fn the_json_is_a_line_of_ndjson() {
        let event = received(
            "order_update",
            "e1",
            json!({"_id": "o1", "_rt": {"id": "e1"}}),
        );
        let expected = json!({
            "as": "customer:u1", "event": "order_update", "id": "e1", "position": "p.e1",
            "data": {"_id": "o1", "_rt": {"id": "e1"}}, "latencyMs": 3, "replayed": false,
        });
        assert_eq!(event.json(), expected);
        let bare = Received {
            id: None,
            position: None,
            latency_ms: None,
            replayed: true,
            ..event
        };
        assert_eq!(bare.json()["replayed"], true);
        assert_eq!(bare.json().as_object().unwrap().len(), 4);
    }

    #[track_caller]
    fn check_concerns(data: Value, expected: bool) {
        let event = received("note", "e1", data);
        assert_eq!(event.concerns("o1"), expected, "{event:?}");
    }

    #[test]
    fn an_event_concerns_the_orders_that_it_names() {
        check_concerns(json!({"_id": "o1"}), true);
        check_concerns(json!({"orderId": "o1"}), true);
        check_concerns(json!({"_id": "n1", "relatedOrder": "o1"}), true);
        check_concerns(json!({"order": "o1"}), true);
        check_concerns(json!({"order": {"_id": "o1"}}), true);
        check_concerns(json!({"room": "order-o1"}), true);
        check_concerns(json!({"room": "order-o12"}), false);
        check_concerns(json!({"room": "o1"}), false);
        check_concerns(json!({"_id": "o2", "text": "o1"}), false);
        check_concerns(json!("o1"), false);
        check_concerns(json!(null), false);
    }
}

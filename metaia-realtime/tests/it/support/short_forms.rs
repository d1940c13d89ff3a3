//! Short forms of common calls: rooms, limits, and the event `tick` that most tests publish.

use std::time::Duration;

use metaia_realtime::{Limits, OrderId, Realtime, Room, UserId};
use serde_json::{Value, json};

/// Longer than an acknowledgement takes if all is well.
pub(crate) const SOON: Duration = Duration::from_secs(15);

/// Returns the room of a user.
pub(crate) fn user(id: &str) -> Room {
    Room::User(id.parse::<UserId>().unwrap())
}

/// Returns the room of an order.
pub(crate) fn order(id: &str) -> Room {
    Room::Order(id.parse::<OrderId>().unwrap())
}

/// Returns the default limits with the changes that `change` makes.
pub(crate) fn limits(change: impl FnOnce(&mut Limits)) -> Limits {
    let mut limits = Limits::default();
    change(&mut limits);
    limits
}

/// Publishes the event `tick` with the number `i`, and returns its position.
pub(crate) async fn tick(realtime: &Realtime, room: Room, i: u64) -> String {
    realtime
        .send([room], ("tick", json!({ "i": i })))
        .await
        .unwrap()
        .position
        .to_string()
}

/// Returns the number of a tick from its payload.
pub(crate) fn number(data: &Value) -> u64 {
    data["i"].as_u64().unwrap()
}

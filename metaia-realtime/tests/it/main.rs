//! The library over TCP: a server in the process, and clients that behave or do not.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test that cannot go on fails"
)]

mod access;
mod api;
mod cluster;
mod delivery;
mod limits;
mod logs;
mod resume;
mod support;

use std::time::Duration;

use metaia_realtime::{
    Limits, OrderId, Realtime, Room, UserId,
    client::{Event, Ready, Reset, Update, Updates},
    testing::within,
};
use serde_json::{Value, json};

pub(crate) fn user(id: &str) -> Room {
    Room::User(id.parse::<UserId>().unwrap())
}

pub(crate) fn order(id: &str) -> Room {
    Room::Order(id.parse::<OrderId>().unwrap())
}

/// The default limits but for what `change` changes.
pub(crate) fn limits(change: impl FnOnce(&mut Limits)) -> Limits {
    let mut limits = Limits::default();
    change(&mut limits);
    limits
}

/// Publishes the event `tick` with the number `i`, and answers its position.
pub(crate) async fn tick(realtime: &Realtime, room: Room, i: u64) -> String {
    realtime
        .send([room], ("tick", json!({ "i": i })))
        .await
        .unwrap()
        .position
        .to_string()
}

/// The next update that `pick` wants.
pub(crate) async fn next<T>(
    updates: &mut Updates,
    what: &str,
    mut pick: impl FnMut(Update) -> Option<T>,
) -> T {
    within(what, async {
        loop {
            let update = updates
                .recv()
                .await
                .unwrap_or_else(|| panic!("the updates ended before {what}"));
            if let Some(found) = pick(update) {
                return found;
            }
        }
    })
    .await
}

pub(crate) async fn ready(updates: &mut Updates) -> Ready {
    next(updates, "rt:ready", |update| match update {
        Update::Ready(ready) => Some(ready),
        _ => None,
    })
    .await
}

/// The next event or reset, in whichever order they come.
pub(crate) async fn reset(updates: &mut Updates) -> Reset {
    next(updates, "rt:reset", |update| match update {
        Update::Reset(reset) => Some(reset),
        Update::Ready(_) => panic!("rt:ready came before rt:reset"),
        _ => None,
    })
    .await
}

pub(crate) async fn event(updates: &mut Updates, name: &str) -> Event {
    next(updates, name, |update| match update {
        Update::Event(event) if event.name == name => Some(event),
        _ => None,
    })
    .await
}

pub(crate) async fn disconnected(updates: &mut Updates) {
    next(updates, "the end of the connection", |update| {
        matches!(update, Update::Disconnected(_)).then_some(())
    })
    .await;
}

/// The numbers of the next `count` ticks.
pub(crate) async fn ticks(updates: &mut Updates, count: usize) -> Vec<u64> {
    let mut numbers = Vec::new();
    while numbers.len() < count {
        numbers.push(number(&event(updates, "tick").await.data));
    }
    numbers
}

pub(crate) fn number(data: &Value) -> u64 {
    data["i"].as_u64().unwrap()
}

/// Longer than an answer takes where all is well.
pub(crate) const SOON: Duration = Duration::from_secs(15);

//! Waiting for updates of a client. Each function skips updates of other kinds.

use metaia_realtime::{
    client::{Ready, ReceivedEvent, Reset, Update, Updates},
    testing::within,
};

use super::number;

/// Waits for the next update for which `pick` returns a value, and returns that.
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

/// Waits for `rt:ready`.
pub(crate) async fn ready(updates: &mut Updates) -> Ready {
    next(updates, "rt:ready", |update| match update {
        Update::Ready(ready) => Some(ready),
        _ => None,
    })
    .await
}

/// Waits for `rt:reset`. Panics if `rt:ready` comes first.
pub(crate) async fn reset(updates: &mut Updates) -> Reset {
    next(updates, "rt:reset", |update| match update {
        Update::Reset(reset) => Some(reset),
        Update::Ready(_) => panic!("rt:ready came before rt:reset"),
        _ => None,
    })
    .await
}

/// Waits for an event of this name.
pub(crate) async fn event(updates: &mut Updates, name: &str) -> ReceivedEvent {
    next(updates, name, |update| match update {
        Update::Event(event) if event.name == name => Some(event),
        _ => None,
    })
    .await
}

/// Waits until the client loses its connection.
pub(crate) async fn disconnected(updates: &mut Updates) {
    next(
        updates,
        "the end of the connection",
        |update| match update {
            Update::Disconnected(_) => Some(()),
            _ => None,
        },
    )
    .await;
}

/// Waits until the client has connected again.
pub(crate) async fn reconnected(updates: &mut Updates) {
    next(updates, "the next connection", |update| match update {
        Update::Connected(_) => Some(()),
        _ => None,
    })
    .await;
}

/// Waits for `count` ticks, and returns their numbers.
pub(crate) async fn ticks(updates: &mut Updates, count: usize) -> Vec<u64> {
    let mut numbers = Vec::new();
    while numbers.len() < count {
        let tick = event(updates, "tick").await;
        numbers.push(number(&tick.data));
    }
    numbers
}

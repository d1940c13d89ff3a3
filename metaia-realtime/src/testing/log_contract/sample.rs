//! Rooms and entries to append.

use serde_json::{Value, json};

use crate::{NewEntry, Role, Room};

/// Returns rooms whose names a store could confuse: by case, as patterns, by kind.
pub(super) fn rooms() -> Vec<Room> {
    let user = |id| Room::User(text(id));
    vec![
        user("a"),
        user("A"),
        user("a_b"),
        user("axb"),
        Room::Order(text("a")),
        Room::Role(Role::Tailor),
        Room::Everyone,
    ]
}

/// Returns the order's room `order-{i}`.
pub(super) fn order(i: usize) -> Room {
    Room::Order(text(&i.to_string()))
}

fn text<T: std::str::FromStr>(id: &str) -> T {
    id.parse().unwrap_or_else(|_| panic!("{id} is no id"))
}

/// Returns a new entry with this payload.
pub(super) fn entry(rooms: impl Into<std::sync::Arc<[Room]>>, payload: &Value) -> NewEntry {
    NewEntry::event(rooms, ("sample", payload)).unwrap_or_else(|error| panic!("no sample: {error}"))
}

/// Returns `count` entries to everyone.
pub(super) fn entries(count: usize) -> Vec<NewEntry> {
    (0..count)
        .map(|i| entry([Room::Everyone], &json!({ "i": i })))
        .collect()
}

/// Returns `count` entries, each in another subset of the rooms; some in none, some in one twice.
pub(super) fn in_subsets(rooms: &[Room], count: usize) -> Vec<NewEntry> {
    let published = |i: usize| {
        // The factor and the quotient vary the bits from entry to entry.
        let mut to = subset(rooms, i * 37 + i / 3);
        if i.is_multiple_of(5) {
            to.extend(to.first().cloned());
        }
        entry(to, &json!({ "i": i }))
    };
    (0..count).map(published).collect()
}

/// Returns the rooms whose bits are set.
pub(super) fn subset(rooms: &[Room], bits: usize) -> Vec<Room> {
    let chosen = rooms
        .iter()
        .enumerate()
        .filter(|(at, _)| bits >> at & 1 == 1);
    chosen.map(|(_, room)| room.clone()).collect()
}

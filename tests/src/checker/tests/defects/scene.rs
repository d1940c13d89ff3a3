//! Queries on a history: who received what, in which room, and in which places a defect would show.

use std::time::Duration;

use super::super::super::{Fact, Got, History, Position};
use super::super::story::got;
use crate::fixtures::seeded_rng::SeededRng;

/// Returns the index of a random fact that matches.
pub(super) fn random_fact(
    history: &History,
    rng: &mut SeededRng,
    fits: impl Fn(&Fact) -> bool,
) -> Option<usize> {
    let facts = history
        .facts
        .iter()
        .enumerate()
        .filter(|(_, (_, fact))| fits(fact));
    let places: Vec<_> = facts.map(|(index, _)| index).collect();
    if places.is_empty() {
        None
    } else {
        Some(*rng.pick(&places))
    }
}

/// Returns the index of a random delivery, other than of the last fence.
pub(super) fn random_delivery(history: &History, rng: &mut SeededRng) -> Option<usize> {
    let fits =
        |fact: &Fact| matches!(fact, Fact::Received { got, .. } if got.placed.value != "fence");
    random_fact(history, rng, fits)
}

/// Returns the client and the event if the fact at this index is a delivery.
pub(super) fn delivery(history: &History, index: usize) -> Option<(&str, &Got)> {
    match &history.facts.get(index)?.1 {
        Fact::Received { client, got } => Some((client, got)),
        _ => None,
    }
}

/// Returns all deliveries from this fact on.
pub(super) fn deliveries(
    history: &History,
    from: usize,
) -> impl DoubleEndedIterator<Item = (&str, &Got)> {
    (from..history.facts.len()).filter_map(|index| delivery(history, index))
}

/// Returns the number of deliveries of this value to this client.
pub(super) fn deliveries_to(history: &History, value: &str, client: &str) -> usize {
    deliveries(history, 0)
        .filter(|(who, got)| got.placed.value == value && *who == client)
        .count()
}

/// Returns the number of deliveries of this value to all clients.
pub(super) fn deliveries_to_all(history: &History, value: &str) -> usize {
    deliveries(history, 0)
        .filter(|(_, got)| got.placed.value == value)
        .count()
}

/// Returns the room that the value was published in.
pub(super) fn room_of<'a>(history: &'a History, value: &str) -> Option<&'a str> {
    let writes = history.facts.iter().filter_map(|(_, fact)| match fact {
        Fact::Attempted(write) => Some(write),
        _ => None,
    });
    let mut effects = writes.flat_map(|write| &write.effects);
    let (_, rooms) = effects.find(|(name, _)| name == value)?;
    rooms.first().map(String::as_str)
}

/// Returns whether the client of this delivery receives a later entry of the same epoch and keeps
/// the room. The delivery is due to it then.
pub(super) fn is_due(history: &History, index: usize) -> bool {
    let Some((client, got)) = delivery(history, index) else {
        return false;
    };
    let mut later = deliveries(history, index + 1).filter(|(who, _)| *who == client);
    later.any(|(_, later)| later.placed.at.is_after(&got.placed.at))
        && !is_of_a_lost_room(history, got)
}

fn is_of_a_lost_room(history: &History, got: &Got) -> bool {
    let lost = history
        .facts
        .iter()
        .any(|(_, fact)| matches!(fact, Fact::Revoked { .. }));
    lost && room_of(history, &got.placed.value) == Some("order-1")
}

/// Returns whether the removal of this delivery is a hole: this client alone misses the value.
pub(super) fn leaves_a_hole(history: &History, index: usize) -> bool {
    let Some((client, got)) = delivery(history, index) else {
        return false;
    };
    let value = &got.placed.value;
    deliveries_to(history, value, client) == 1
        && deliveries_to_all(history, value) > 1
        && is_due(history, index)
}

/// Appends a delivery of this value: as it was delivered before, or otherwise as the next entry of
/// the log.
pub(super) fn append_delivery(history: &mut History, client: &str, value: &str) -> Option<()> {
    let known = deliveries(history, 0).find(|(_, got)| got.placed.value == value);
    let last = &deliveries(history, 0)
        .rfind(|(_, got)| got.placed.value == "fence")?
        .1
        .placed
        .at;
    let next = || {
        got(
            value,
            Position {
                n: last.n + 1,
                ..last.clone()
            },
        )
    };
    let got = known.map_or_else(next, |(_, got)| got.clone());
    append(
        history,
        Fact::Received {
            client: client.to_owned(),
            got,
        },
    )
}

/// Appends a fact, 1 ms after the last one.
pub(super) fn append(history: &mut History, fact: Fact) -> Option<()> {
    let (end, _) = history.facts.last()?;
    history.facts.push((*end + Duration::from_millis(1), fact));
    Some(())
}

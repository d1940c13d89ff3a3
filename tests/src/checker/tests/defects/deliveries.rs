//! Deliveries that should not happen, or not in this form.

use std::time::Duration;

use super::super::super::{Fact, Got, History};
use super::scene::{
    append_delivery, deliveries_to_all, delivery, leaves_a_hole, random_delivery, random_fact,
    room_of,
};
use crate::fixtures::seeded_rng::SeededRng;

pub(super) fn drop_one(history: &mut History, rng: &mut SeededRng) -> Option<()> {
    let index = random_delivery(history, rng)?;
    if !leaves_a_hole(history, index) {
        return None;
    }
    history.facts.remove(index);
    Some(())
}

pub(super) fn swap_two(history: &mut History, rng: &mut SeededRng) -> Option<()> {
    let index = random_delivery(history, rng)?;
    let (client, first) = delivery(history, index)?;
    let (other, second) = delivery(history, index + 1)?;
    if client != other || !second.placed.at.is_after(&first.placed.at) {
        return None;
    }
    let fact = history.facts[index].1.clone();
    history.facts[index].1 = std::mem::replace(&mut history.facts[index + 1].1, fact);
    Some(())
}

/// Returns the event that this fact delivers, for a change.
fn got_mut(history: &mut History, index: usize) -> Option<&mut Got> {
    match &mut history.facts.get_mut(index)?.1 {
        Fact::Received { got, .. } => Some(got),
        _ => None,
    }
}

pub(super) fn other_payload(history: &mut History, rng: &mut SeededRng) -> Option<()> {
    let index = random_delivery(history, rng)?;
    let value = delivery(history, index)?.1.placed.value.clone();
    if deliveries_to_all(history, &value) < 2 {
        return None;
    }
    got_mut(history, index)?.payload.push_str(", changed");
    Some(())
}

pub(super) fn same_position(history: &mut History, rng: &mut SeededRng) -> Option<()> {
    let one = random_delivery(history, rng)?;
    let other = random_delivery(history, rng)?;
    let first = &delivery(history, one)?.1.placed;
    let second = &delivery(history, other)?.1.placed;
    let differ = first.value != second.value && first.at.epoch == second.at.epoch;
    let still_seen = deliveries_to_all(history, &first.value) > 1 || one > other;
    let at = first.at.clone();
    if !(differ && still_seen) {
        return None;
    }
    got_mut(history, other)?.placed.at = at;
    Some(())
}

pub(super) fn phantom(history: &mut History, _: &mut SeededRng) -> Option<()> {
    append_delivery(history, "ann", "unpublished value")
}

pub(super) fn wrong_user(history: &mut History, rng: &mut SeededRng) -> Option<()> {
    let index = random_delivery(history, rng)?;
    let value = delivery(history, index)?.1.placed.value.clone();
    if room_of(history, &value)? != "user-bob" {
        return None;
    }
    append_delivery(history, "ann", &value)
}

pub(super) fn after_room(history: &mut History, rng: &mut SeededRng) -> Option<()> {
    random_fact(history, rng, |fact| matches!(fact, Fact::Revoked { .. }))?;
    let index = random_delivery(history, rng)?;
    let value = delivery(history, index)?.1.placed.value.clone();
    if room_of(history, &value)? != "order-1" {
        return None;
    }
    append_delivery(history, "ann", &value)
}

pub(super) fn after_token(history: &mut History, rng: &mut SeededRng) -> Option<()> {
    let index = random_delivery(history, rng)?;
    let client = delivery(history, index)?.0.to_owned();
    let until = history.facts[index]
        .0
        .checked_sub(Duration::from_millis(5_001))
        .unwrap_or_default();
    let late = history.facts[index].0 > until + Duration::from_secs(5);
    let before = history
        .facts
        .iter()
        .position(|(moment, _)| *moment >= until)?;
    history
        .facts
        .insert(before, (until, Fact::Token { client, until }));
    if late { Some(()) } else { None }
}

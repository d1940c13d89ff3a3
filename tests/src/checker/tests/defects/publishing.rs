//! A publish that is lost, that happens although it was refused, or that happens twice.

use super::super::super::{Fact, History, Position};
use super::super::story::got;
use super::scene::{
    append, append_delivery, deliveries, deliveries_to_all, delivery, is_due, random_delivery,
    random_fact, room_of,
};
use crate::fixtures::seeded_rng::SeededRng;

pub(super) fn lost(history: &mut History, rng: &mut SeededRng) -> Option<()> {
    remove_deliveries(history, rng, false)
}

pub(super) fn lost_by_a_crash(history: &mut History, rng: &mut SeededRng) -> Option<()> {
    remove_deliveries(history, rng, true)
}

/// Removes every delivery of an acknowledged entry of the last epoch. `crash` selects an entry with
/// or without a kill after its response.
fn remove_deliveries(history: &mut History, rng: &mut SeededRng, crash: bool) -> Option<()> {
    let index = random_delivery(history, rng)?;
    let placed = &delivery(history, index)?.1.placed;
    let value = placed.value.clone();
    let fence = deliveries(history, 0).last()?.1;
    let answered = history
        .facts
        .iter()
        .position(|(_, fact)| is_answer(fact, &value))?;
    let crashed = history.facts[answered..]
        .iter()
        .any(|(_, fact)| *fact == Fact::Killed);
    let same_epoch = placed.at.epoch == fence.placed.at.epoch;
    let fits = crashed == crash && same_epoch && is_due(history, index);
    if !fits {
        return None;
    }
    let is_it =
        |fact: &Fact| matches!(fact, Fact::Received { got, .. } if got.placed.value == value);
    history.facts.retain(|(_, fact)| !is_it(fact));
    Some(())
}

fn is_answer(fact: &Fact, value: &str) -> bool {
    matches!(fact, Fact::Acknowledged { write, .. } if write == value)
}

pub(super) fn twice(history: &mut History, rng: &mut SeededRng) -> Option<()> {
    deliver_again(history, rng, false)
}

pub(super) fn twice_for_a_key(history: &mut History, rng: &mut SeededRng) -> Option<()> {
    deliver_again(history, rng, true)
}

/// Adds a second delivery of the same value, after the fence and with another id.
fn deliver_again(history: &mut History, rng: &mut SeededRng, keyed: bool) -> Option<()> {
    let fits = |fact: &Fact| matches!(fact, Fact::Attempted(write) if write.keyed == keyed);
    let index = random_fact(history, rng, fits)?;
    let Fact::Attempted(write) = &history.facts[index].1 else {
        return None;
    };
    let value = write.name.clone();
    let seen = deliveries_to_all(history, &value) > 0 && value != "fence";
    let client = room_of(history, &value)
        .filter(|_| seen)?
        .strip_prefix("user-")?
        .to_owned();
    let fence = deliveries(history, 0).last()?.1.placed.at.clone();
    let mut again = got(
        &value,
        Position {
            n: fence.n + 1,
            ..fence
        },
    );
    again.placed.id = format!("another id of {value}");
    append(history, Fact::Received { client, got: again })
}

pub(super) fn two_answers(history: &mut History, rng: &mut SeededRng) -> Option<()> {
    let index = random_fact(history, rng, |fact| {
        matches!(fact, Fact::Acknowledged { .. })
    })?;
    let (when, mut fact) = history.facts[index].clone();
    let Fact::Acknowledged { made, .. } = &mut fact else {
        return None;
    };
    made.push_str(", the second");
    history.facts.insert(index + 1, (when, fact));
    Some(())
}

pub(super) fn refused(history: &mut History, rng: &mut SeededRng) -> Option<()> {
    let index = random_fact(history, rng, |fact| matches!(fact, Fact::Refused { .. }))?;
    let Fact::Refused { write } = &history.facts[index].1 else {
        return None;
    };
    let value = write.clone();
    let client = room_of(history, &value)?.strip_prefix("user-")?.to_owned();
    append_delivery(history, &client, &value)
}

/// Makes two responses name one position, as nodes with diverged logs do: the second node responds
/// with a position that the first one has already given.
pub(super) fn reused_position(history: &mut History, rng: &mut SeededRng) -> Option<()> {
    let placed =
        |fact: &Fact| matches!(fact, Fact::Acknowledged { placed, .. } if !placed.is_empty());
    let one = random_fact(history, rng, placed)?;
    let other = random_fact(history, rng, placed)?;
    let Fact::Acknowledged { placed: first, .. } = &history.facts[one].1 else {
        return None;
    };
    let id = first[0].id.clone();
    let at = first[0].at.clone();
    let Fact::Acknowledged { placed: second, .. } = &mut history.facts[other].1 else {
        return None;
    };
    if second[0].id == id || second[0].at.epoch != at.epoch {
        return None;
    }
    second[0].at = at;
    Some(())
}

//! Defects in what one client is told, and a client that never connects again.

use super::super::super::{Fact, History};
use super::scene::{leaves_a_hole, random_fact};
use crate::fixtures::seeded_rng::SeededRng;

pub(super) fn partial_replay(history: &mut History, rng: &mut SeededRng) -> Option<()> {
    let ready = random_fact(history, rng, |fact| {
        matches!(
            fact,
            Fact::Ready {
                recovered: true,
                ..
            }
        )
    })?;
    let last = ready.checked_sub(1)?;
    if !leaves_a_hole(history, last) {
        return None;
    }
    history.facts.remove(last);
    Some(())
}

pub(super) fn silent_reset(history: &mut History, rng: &mut SeededRng) -> Option<()> {
    let index = random_fact(history, rng, |fact| matches!(fact, Fact::Reset { .. }))?;
    history.facts.remove(index);
    Some(())
}

pub(super) fn never_reconnects(history: &mut History, rng: &mut SeededRng) -> Option<()> {
    let healed = history
        .facts
        .iter()
        .position(|(_, fact)| *fact == Fact::Healed)?;
    let client = (*rng.pick(&["ann", "bob", "cem"])).to_owned();
    let after = history.facts.split_off(healed);
    let gone = (
        after.first()?.0,
        Fact::Disconnected {
            client: client.clone(),
        },
    );
    history.facts.push(gone);
    history
        .facts
        .extend(after.into_iter().filter(|(_, fact)| !is_of(fact, &client)));
    Some(())
}

fn is_of(fact: &Fact, client: &str) -> bool {
    match fact {
        Fact::Ready { client: who, .. }
        | Fact::Received { client: who, .. }
        | Fact::Reset { client: who, .. } => who == client,
        _ => false,
    }
}

//! A delivery that is too delayed for a client which was connected all the time.

use std::time::Duration;

use super::super::super::{Fact, History};
use super::scene::{delivery, random_delivery};
use crate::fixtures::seeded_rng::SeededRng;

const DELAY: Duration = Duration::from_secs(3);

/// Delays a delivery, and everything after it, by three seconds.
pub(super) fn delayed(history: &mut History, rng: &mut SeededRng) -> Option<()> {
    let index = random_delivery(history, rng)?;
    let (client, value) = prompt_delivery(history, index)?;
    let earlier = history.facts[..index]
        .iter()
        .any(|(_, fact)| delivers(fact, &client, &value));
    if earlier {
        return None;
    }
    delay_from(history, index);
    Some(())
}

/// Removes all further deliveries to a client that stays connected, and delays everything after
/// that.
pub(super) fn silenced(history: &mut History, rng: &mut SeededRng) -> Option<()> {
    let index = random_delivery(history, rng)?;
    let (client, value) = prompt_delivery(history, index)?;
    let earlier = history.facts[..index]
        .iter()
        .any(|(_, fact)| delivers(fact, &client, &value));
    let goes = history.facts[index..]
        .iter()
        .any(|(_, fact)| changes_presence(fact, &client));
    if earlier || goes {
        return None;
    }
    let tail = history.facts.split_off(index);
    let is_delivery =
        |fact: &Fact| matches!(fact, Fact::Received { client: who, .. } if *who == client);
    history
        .facts
        .extend(tail.into_iter().filter(|(_, fact)| !is_delivery(fact)));
    delay_from(history, index);
    Some(())
}

/// Returns client and value of a delivery if the client was ready when the write was acknowledged,
/// and stayed.
fn prompt_delivery(history: &History, index: usize) -> Option<(String, String)> {
    let (client, got) = delivery(history, index)?;
    let value = &got.placed.value;
    let answered = |fact: &Fact| matches!(fact, Fact::Acknowledged { write, .. } if write == value);
    let answer = history.facts[..index]
        .iter()
        .position(|(_, fact)| answered(fact))?;
    let last_move = history.facts[..index]
        .iter()
        .rposition(|(_, fact)| changes_presence(fact, client))?;
    let is_ready = matches!(history.facts[last_move].1, Fact::Ready { .. });
    if !is_ready || last_move >= answer {
        return None;
    }
    Some((client.to_owned(), value.clone()))
}

fn delivers(fact: &Fact, client: &str, value: &str) -> bool {
    match fact {
        Fact::Received { client: who, got } => who == client && got.placed.value == value,
        _ => false,
    }
}

fn changes_presence(fact: &Fact, client: &str) -> bool {
    match fact {
        Fact::Connected { client: who, .. }
        | Fact::Ready { client: who, .. }
        | Fact::Disconnected { client: who }
        | Fact::Reset { client: who, .. } => who == client,
        Fact::Killed | Fact::Revoked { .. } => true,
        _ => false,
    }
}

fn delay_from(history: &mut History, index: usize) {
    for (when, _) in &mut history.facts[index..] {
        *when += DELAY;
    }
}

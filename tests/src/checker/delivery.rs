//! Checks each delivery by itself: the event was published, and it is the same event in every
//! delivery and in every response that names it.

use std::collections::BTreeMap;

use super::index::Index;
use super::{Fact, Got, History, Invariant, Moment, Placed, Position, Violation};

/// Checks [`Invariant::ExactlyOnce`] and [`Invariant::NoPhantom`] for every received event.
pub(super) fn check(history: &History, index: &Index<'_>) -> Vec<Violation> {
    let mut known = Known::default();
    let mut wrong = Vec::new();
    for (when, fact) in &history.facts {
        let (name, found) = match fact {
            Fact::Received { client, got } => (
                client,
                phantom(*when, got, index).or_else(|| known.take(got, index)),
            ),
            Fact::Acknowledged { write, placed, .. } => (
                write,
                placed
                    .iter()
                    .find_map(|placed| known.check_position(placed)),
            ),
            _ => continue,
        };
        if let Some((invariant, what)) = found {
            wrong.push(Violation::new(invariant, format!("{name}: {what}")));
        }
    }
    wrong
}

type Found = Option<(Invariant, String)>;

fn phantom(when: Moment, got: &Got, index: &Index<'_>) -> Found {
    let value = &got.placed.value;
    let Some(write) = index.write_of(value) else {
        return Some((Invariant::NoPhantom, format!("{value} was never published")));
    };
    if write.attempted > when {
        return Some((
            Invariant::NoPhantom,
            format!("{value} arrived before the first attempt of {}", write.name),
        ));
    }
    if write.did_not_happen() {
        return Some((
            Invariant::NoPhantom,
            format!("{value} arrived although {} was refused", write.name),
        ));
    }
    None
}

/// The first occurrence of each id, position and value.
#[derive(Debug, Default)]
struct Known<'a> {
    ids: BTreeMap<&'a str, &'a Got>,
    positions: BTreeMap<&'a Position, &'a Placed>,
    values: BTreeMap<&'a str, &'a Got>,
}

impl<'a> Known<'a> {
    /// Finds two events at one position. Nodes that disagree about the log would report them.
    fn check_position(&mut self, placed: &'a Placed) -> Found {
        let first = *self.positions.entry(&placed.at).or_insert(placed);
        if first.id == placed.id {
            return None;
        }
        Some((
            Invariant::ExactlyOnce,
            format!("one position, two events: {first:?} and {placed:?}"),
        ))
    }

    fn take(&mut self, got: &'a Got, index: &Index<'_>) -> Found {
        let placed = &got.placed;
        let by_id = *self.ids.entry(&placed.id).or_insert(got);
        let by_position = self.check_position(placed);
        let by_value = *self.values.entry(&placed.value).or_insert(got);
        if by_id != got {
            return Some((
                Invariant::ExactlyOnce,
                format!("one id, two events: {by_id:?} and {got:?}"),
            ));
        }
        if by_position.is_some() {
            return by_position;
        }
        if by_value.placed.id != placed.id {
            return Some((
                invariant_of_duplicate(&placed.value, index),
                format!("published twice: {by_value:?} and {got:?}"),
            ));
        }
        let stated = index
            .values
            .get(placed.value.as_str())
            .and_then(|value| value.stated);
        if stated.is_none_or(|stated| stated == placed) {
            return None;
        }
        Some((
            Invariant::ExactlyOnce,
            format!("{placed:?} was acknowledged as {stated:?}"),
        ))
    }
}

fn invariant_of_duplicate(value: &str, index: &Index<'_>) -> Invariant {
    match index.write_of(value) {
        Some(write) if write.keyed => Invariant::OncePerKey,
        _ => Invariant::ExactlyOnce,
    }
}

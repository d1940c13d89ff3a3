//! Finds events that a client should have received and did not: a hole if another client received
//! the event, a loss if no client did.

use std::collections::BTreeMap;

use super::continuity::Continuity;
use super::index::{Index, Value, Written};
use super::{Invariant, Moment, Position, Violation};

/// Checks [`Invariant::NoLoss`], [`Invariant::OrderWithoutHoles`] and
/// [`Invariant::DurableBeforeAnswer`]: a client has everything that its stretches cover.
pub(super) fn check(index: &Index<'_>, spans: &[Continuity<'_>]) -> Vec<Violation> {
    let known = in_order(index);
    let mut wrong = out_of_order(index, &known);
    for span in spans {
        wrong.extend(holes(span, &known));
        wrong.extend(losses(span, index));
    }
    wrong
}

/// Returns every received value, by its position.
fn in_order<'a, 'i>(index: &'i Index<'a>) -> BTreeMap<&'a Position, (&'a str, &'i Value<'a>)> {
    let got = index
        .values
        .iter()
        .filter_map(|(name, value)| Some((value.got?, (*name, value))));
    got.map(|(got, value)| (&got.placed.at, value)).collect()
}

type Known<'a, 'i> = BTreeMap<&'a Position, (&'a str, &'i Value<'a>)>;

/// Checks that a write which was acknowledged before another one was first attempted also comes
/// first in the log.
fn out_of_order(index: &Index<'_>, known: &Known<'_, '_>) -> Vec<Violation> {
    let mut wrong = Vec::new();
    let mut latest: Option<(&str, &Position, Moment)> = None;
    for (position, (name, value)) in known {
        let Some(write) = index.writes.get(value.write) else {
            continue;
        };
        let before = latest.filter(|(_, before, _)| before.epoch == position.epoch);
        let after = write.acknowledged;
        if let Some((other, _, tried)) = before
            && let Some(acknowledged) = after
            && acknowledged < tried
        {
            let what = format!(
                "{name} was acknowledged before {other} was tried, but is after it in the log"
            );
            wrong.push(Violation::new(Invariant::OrderWithoutHoles, what));
        }
        if before.is_none_or(|(_, _, tried)| write.attempted > tried) {
            latest = Some((name, position, write.attempted));
        }
    }
    wrong
}

fn holes(span: &Continuity<'_>, known: &Known<'_, '_>) -> Vec<Violation> {
    let mut wrong = Vec::new();
    for (position, (name, value)) in known {
        if !span.covers(position, value.rooms) || span.got.contains_key(position) {
            continue;
        }
        let what = format!(
            "{}: no {name} at {position:?}, but it has {:?} to {:?}",
            span.client, span.from, span.to
        );
        wrong.push(Violation::new(Invariant::OrderWithoutHoles, what));
    }
    wrong
}

/// Finds values that were acknowledged and due to this client, but were received by no client.
fn losses(span: &Continuity<'_>, index: &Index<'_>) -> Vec<Violation> {
    let seen = span
        .got
        .values()
        .filter_map(|got| index.write_of(&got.placed.value));
    let newest = seen.map(|write| write.attempted).max();
    let mut wrong = Vec::new();
    for (name, value) in &index.values {
        let Some(write) = index.writes.get(value.write) else {
            continue;
        };
        let Some(acknowledged) = write.acknowledged else {
            continue;
        };
        if value.got.is_some() || !is_due(span, value, write, newest) {
            continue;
        }
        let what = format!("{name} was acknowledged, and never reached {}", span.client);
        wrong.push(Violation::new(index.loss_after(acknowledged), what));
    }
    wrong
}

/// Returns whether the client must have the value. If the position is known, the stretch decides.
/// Otherwise causality decides: the write was first attempted after the stretch began, and was
/// acknowledged before the first attempt of a write whose value the client has.
fn is_due(
    span: &Continuity<'_>,
    value: &Value<'_>,
    write: &Written<'_>,
    newest: Option<Moment>,
) -> bool {
    if let Some(position) = value.position() {
        return span.covers(position, value.rooms);
    }
    let (Some(acknowledged), Some(newest)) = (write.acknowledged, newest) else {
        return false;
    };
    span.in_any(value.rooms) && write.attempted > span.since && acknowledged < newest
}

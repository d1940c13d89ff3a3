//! The event that nearly fits an expectation which missed one.

use serde_json::Value;

use super::expected::{Clause, Expectation};
use super::received::Received;
use super::subset::{Difference, differences};
use crate::suggestion;

/// An event that nearly fits.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Nearest {
    pub(crate) index: usize,
    /// The clauses that the event fails.
    pub(crate) failed: Vec<Clause>,
    /// The members that differ, if it fails `match`.
    pub(crate) differences: Vec<Difference>,
}

impl Nearest {
    /// Orders candidates: an event of the right name first, then the one that fails least.
    fn rank(&self) -> (bool, usize) {
        let named_otherwise = self.failed.contains(&Clause::Event);
        (named_otherwise, self.failed.len() + self.differences.len())
    }
}

/// Returns the event that fails the least, the last of several. An event of another name has to
/// have a similar name, or a member that `match` expects. The events that fit, and copies, are
/// `excluded`.
pub(super) fn of(
    expectation: &Expectation,
    events: &[Received],
    excluded: &[usize],
) -> Option<Nearest> {
    let numbered = events.iter().enumerate().rev();
    let others = numbered.filter(|(index, _)| !excluded.contains(index));
    others
        .map(|(index, event)| (event, candidate(expectation, index, event)))
        .filter(|(event, candidate)| is_near(expectation, event, candidate))
        .map(|(_, candidate)| candidate)
        .min_by_key(Nearest::rank)
}

fn candidate(expectation: &Expectation, index: usize, event: &Received) -> Nearest {
    let mut failed = Vec::new();
    let mut differing = Vec::new();
    if !expectation.is_named(event) {
        failed.push(Clause::Event);
    }
    if !expectation.concerns(event) {
        failed.push(Clause::About);
    }
    if !expectation.is_as_live(event) {
        failed.push(Clause::Replayed);
    }
    if let Some(matches) = &expectation.matches {
        differing = differences(matches, &event.data);
    }
    if !differing.is_empty() {
        failed.push(Clause::Match);
    }
    // The event does not fit, so the condition is false if everything before it holds.
    if failed.is_empty() {
        failed.push(Clause::Condition);
    }
    Nearest {
        index,
        failed,
        differences: differing,
    }
}

fn is_near(expectation: &Expectation, event: &Received, candidate: &Nearest) -> bool {
    let Some(name) = &expectation.event else {
        return !event.is_control();
    };
    if event.event == *name || suggestion::nearest(name, [event.event.as_str()]).is_some() {
        return true;
    }
    let leaves = expectation.matches.as_ref().map_or(0, leaves);
    !event.is_control() && candidate.differences.len() < leaves
}

/// Returns the number of parts that can differ.
fn leaves(value: &Value) -> usize {
    match value {
        Value::Object(members) => members.values().map(leaves).sum(),
        Value::Array(items) if !items.is_empty() => items.iter().map(leaves).sum(),
        _ => 1,
    }
}

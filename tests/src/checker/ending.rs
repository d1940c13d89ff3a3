//! Checks the server process: how it ends, what it leaks, and how soon all clients are connected
//! again.

use std::collections::BTreeMap;
use std::time::Duration;

use super::{Fact, History, Invariant, Moment, Resource, Violation};

/// The longest time that a requested end may take.
const END_TIMEOUT: Duration = Duration::from_secs(15);
/// The longest time until all clients are connected again.
const RECONNECT_TIMEOUT: Duration = Duration::from_secs(30);
/// Texts that never appear in the output of a correct server.
const ALARMS: [&str; 3] = ["panicked at", "PoisonError", "stack overflow"];

/// Checks [`Invariant::NothingLeaks`], [`Invariant::ReconnectedInTime`] and
/// [`Invariant::CleanEnd`].
pub(super) fn check(history: &History) -> Vec<Violation> {
    [leaks(history), missing_clients(history), ends(history)].concat()
}

fn leaks(history: &History) -> Vec<Violation> {
    let mut first_and_last: BTreeMap<Resource, (u64, u64)> = BTreeMap::new();
    for (_, fact) in &history.facts {
        if let Fact::Sampled { resource, amount } = fact {
            first_and_last
                .entry(*resource)
                .or_insert((*amount, *amount))
                .1 = *amount;
        }
    }
    let mut wrong = Vec::new();
    for (resource, (first, last)) in first_and_last {
        if last > resource.allowance(first) {
            let what = format!("{resource:?}: {first} at the start, {last} at the end");
            wrong.push(Violation::new(Invariant::NothingLeaks, what));
        }
    }
    wrong
}

impl Resource {
    fn allowance(self, first: u64) -> u64 {
        match self {
            Self::Memory => first + first / 2 + 16 * 1024,
            Self::Descriptors | Self::Sessions | Self::Rooms => first,
        }
    }
}

/// The connection state of a client.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Presence {
    Ready,
    Away,
    Gone,
}

/// Checks that every client that is away when the last fault ends, or disconnects later, is ready
/// 30 s after that moment. The check is skipped if another fault begins earlier.
fn missing_clients(history: &History) -> Vec<Violation> {
    let healings = history
        .facts
        .iter()
        .filter(|(_, fact)| *fact == Fact::Healed)
        .map(|(when, _)| *when);
    let last = history.facts.last().map_or(Moment::ZERO, |(when, _)| *when);
    let mut wrong = Vec::new();
    for healed in healings {
        let fault = history
            .facts
            .iter()
            .find(|(when, fact)| *when > healed && is_fault(fact));
        let deadline = healed + RECONNECT_TIMEOUT;
        // A quiet period that is shorter than the deadline proves nothing.
        if fault.map_or(last, |(when, _)| *when) < deadline {
            continue;
        }
        for (client, presence) in presence_at(history, deadline) {
            if presence == Presence::Away {
                let what = format!("{client} is not ready {RECONNECT_TIMEOUT:?} after {healed:?}");
                wrong.push(Violation::new(Invariant::ReconnectedInTime, what));
            }
        }
    }
    wrong
}

fn is_fault(fact: &Fact) -> bool {
    matches!(
        fact,
        Fact::Killed | Fact::AskedToEnd | Fact::Slowed { .. } | Fact::Stopped { .. }
    )
}

fn presence_at(history: &History, moment: Moment) -> BTreeMap<&str, Presence> {
    let mut clients = BTreeMap::new();
    for (_, fact) in history.facts.iter().take_while(|(when, _)| *when <= moment) {
        let (client, presence) = match fact {
            Fact::Connected { client, .. } | Fact::Disconnected { client } => {
                (client, Presence::Away)
            }
            Fact::Ready { client, .. } => (client, Presence::Ready),
            Fact::Left { client } => (client, Presence::Gone),
            _ => continue,
        };
        let known = clients.entry(client.as_str()).or_insert(presence);
        if *known != Presence::Gone {
            *known = presence;
        }
    }
    clients
}

fn ends(history: &History) -> Vec<Violation> {
    let mut asked = None;
    let mut wrong = Vec::new();
    for (when, fact) in &history.facts {
        match fact {
            Fact::AskedToEnd => asked = Some(*when),
            Fact::Started | Fact::Killed => asked = None,
            Fact::Ended { code } => wrong.extend(ended(asked.take(), *when, *code)),
            Fact::Printed(line) if ALARMS.iter().any(|alarm| line.contains(alarm)) => {
                wrong.push(format!("it printed: {line}"));
            }
            _ => (),
        }
    }
    let last = history.facts.last().map_or(Moment::ZERO, |(when, _)| *when);
    if asked.is_some_and(|asked| last > asked + END_TIMEOUT) {
        wrong.push("it was asked to end and has not ended".to_owned());
    }
    wrong
        .into_iter()
        .map(|what| Violation::new(Invariant::CleanEnd, what))
        .collect()
}

fn ended(asked: Option<Moment>, when: Moment, code: Option<i32>) -> Option<String> {
    let Some(asked) = asked else {
        return Some(format!("it ended by itself with {code:?}"));
    };
    if code != Some(0) {
        return Some(format!("it was asked to end and exited with {code:?}"));
    }
    let took = when.saturating_sub(asked);
    if took > END_TIMEOUT {
        return Some(format!("it took {took:?} to end"));
    }
    None
}

//! Checks how soon an acknowledged event reaches the connected clients, on every node, with Redis
//! or without.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::index::{Index, Value};
use super::{Fact, History, Invariant, Moment, Violation};

/// The longest time that a delivery to a ready client may take.
const DELIVERY_TIMEOUT: Duration = Duration::from_millis(2_500);

/// Checks [`Invariant::DeliveredInTime`] for every acknowledged value and every client that stayed
/// ready for long enough after the response.
pub(super) fn check(history: &History, index: &Index<'_>) -> Vec<Violation> {
    let stays = stays(history);
    let readable = readable(history);
    let arrivals = arrivals(history);
    let mut wrong = Vec::new();
    for (name, value) in &index.values {
        let Some(write) = index.write_of(name) else {
            continue;
        };
        let Some(answered) = write.acknowledged else {
            continue;
        };
        let due = answered + DELIVERY_TIMEOUT;
        let log_was_readable = readable
            .iter()
            .any(|(from, to)| *from <= answered && due <= *to);
        if !log_was_readable {
            continue;
        }
        // An earlier attempt may have succeeded before the client's last reset. Then the value is
        // not due to the client, so the stay must have begun before the first attempt.
        for stay in &stays {
            let covers = stay.from <= write.attempted && due < stay.to;
            if !covers || !stay.is_in(value) {
                continue;
            }
            let client = stay.client;
            let arrival = arrivals.get(&(client, *name));
            if arrival.is_some_and(|when| *when <= due) {
                continue;
            }
            let when = match arrival {
                Some(when) => format!("at {when:?}"),
                None => "not at all".to_owned(),
            };
            let what =
                format!("{name} was acknowledged at {answered:?} and reached {client} {when}");
            wrong.push(Violation::new(Invariant::DeliveredInTime, what));
        }
    }
    wrong
}

/// Returns the moment at which each client first received each value.
fn arrivals(history: &History) -> BTreeMap<(&str, &str), Moment> {
    let mut arrivals = BTreeMap::new();
    for (when, fact) in &history.facts {
        if let Fact::Received { client, got } = fact {
            arrivals
                .entry((client.as_str(), got.placed.value.as_str()))
                .or_insert(*when);
        }
    }
    arrivals
}

/// A period in which a client is connected and its rooms are known: from an `rt:ready` until the
/// next fact that changes either.
#[derive(Debug)]
struct Stay<'a> {
    client: &'a str,
    from: Moment,
    to: Moment,
    rooms: &'a BTreeSet<String>,
}

impl Stay<'_> {
    fn is_in(&self, value: &Value<'_>) -> bool {
        value.rooms.iter().any(|room| self.rooms.contains(room))
    }
}

fn stays(history: &History) -> Vec<Stay<'_>> {
    let mut all: Vec<Stay<'_>> = Vec::new();
    let mut current: BTreeMap<&str, usize> = BTreeMap::new();
    for (when, fact) in &history.facts {
        let finished: Vec<usize> = match fact {
            Fact::Ready { client, .. }
            | Fact::Connected { client, .. }
            | Fact::Disconnected { client }
            | Fact::Left { client }
            | Fact::Reset { client, .. } => current.remove(client.as_str()).into_iter().collect(),
            Fact::Revoked { .. } | Fact::Killed | Fact::AskedToEnd => {
                std::mem::take(&mut current).into_values().collect()
            }
            _ => continue,
        };
        for stay in finished {
            all[stay].to = *when;
        }
        if let Fact::Ready { client, rooms, .. } = fact {
            current.insert(client, all.len());
            all.push(Stay {
                client,
                from: *when,
                to: Moment::MAX,
                rooms,
            });
        }
    }
    let last = history.facts.last().map_or(Moment::ZERO, |(when, _)| *when);
    for stay in current.into_values() {
        all[stay].to = last;
    }
    all
}

/// Returns the periods during which all nodes could read the log without a break.
fn readable(history: &History) -> Vec<(Moment, Moment)> {
    let mut readable = Vec::new();
    let mut since = Some(Moment::ZERO);
    for (when, fact) in &history.facts {
        match fact {
            Fact::Stopped { .. } => readable.extend(since.take().map(|since| (since, *when))),
            Fact::Healed => since = since.or(Some(*when)),
            _ => (),
        }
    }
    let last = history.facts.last().map_or(Moment::ZERO, |(when, _)| *when);
    readable.extend(since.map(|since| (since, last)));
    readable
}

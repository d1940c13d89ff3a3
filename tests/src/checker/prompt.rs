//! How soon what was acknowledged is with those who are here: on whatever node they are, with Redis
//! or without.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::index::{Index, Value};
use super::{Fact, History, Invariant, Moment, Violation};

/// How long a delivery may take to somebody who is ready.
const TO_ARRIVE: Duration = Duration::from_millis(2_500);

/// D7 of every acknowledged value, and of everybody who was ready for long enough after its answer.
pub(super) fn check(history: &History, index: &Index<'_>) -> Vec<Violation> {
    let (stays, readable, arrivals) = (stays(history), readable(history), arrivals(history));
    let mut wrong = Vec::new();
    for (name, value) in &index.values {
        let Some(write) = index.write_of(name) else {
            continue;
        };
        let Some(answered) = write.acknowledged else {
            continue;
        };
        let due = answered + TO_ARRIVE;
        if !readable
            .iter()
            .any(|(from, to)| *from <= answered && due <= *to)
        {
            continue;
        }
        // What was tried before may have happened before: then it is not owed to who was reset
        // since.
        let all_the_time = |stay: &&Stay<'_>| stay.from <= write.attempted && due < stay.to;
        let here = stays
            .iter()
            .filter(all_the_time)
            .filter(|stay| stay.is_in(value));
        for client in here.map(|stay| stay.client) {
            let when = arrivals.get(&(client, *name));
            if when.is_none_or(|when| *when > due) {
                let when =
                    when.map_or_else(|| "not at all".to_owned(), |when| format!("at {when:?}"));
                let what =
                    format!("{name} was acknowledged at {answered:?} and came to {client} {when}");
                wrong.push(Violation::new(Invariant::InTime, what));
            }
        }
    }
    wrong
}

/// What each client got when, the first time.
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

/// From an `rt:ready` until nobody can say any more what is theirs.
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
    let mut here: BTreeMap<&str, usize> = BTreeMap::new();
    for (when, fact) in &history.facts {
        let gone: Vec<usize> = match fact {
            Fact::Ready { client, .. }
            | Fact::Connected { client, .. }
            | Fact::Disconnected { client }
            | Fact::Left { client }
            | Fact::Reset { client, .. } => here.remove(client.as_str()).into_iter().collect(),
            Fact::Withdrawn { .. } | Fact::Killed | Fact::Asked => {
                std::mem::take(&mut here).into_values().collect()
            }
            _ => continue,
        };
        gone.into_iter().for_each(|stay| all[stay].to = *when);
        if let Fact::Ready { client, rooms, .. } = fact {
            here.insert(client, all.len());
            all.push(Stay {
                client,
                from: *when,
                to: Moment::MAX,
                rooms,
            });
        }
    }
    let last = history.facts.last().map_or(Moment::ZERO, |(when, _)| *when);
    here.into_values().for_each(|stay| all[stay].to = last);
    all
}

/// When nodes could read the log all the time.
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

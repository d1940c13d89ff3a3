//! The moments at which events happened, as far as a client can know.
//!
//! An event arrives some time after its commit, often when the next step has begun already. So that
//! it stands beside the step that caused it, its moment is that of its commit. The server's clock
//! may differ: the fastest event of the run is taken as one that needed no time.

use std::time::Duration;

use crate::expectation::Received;
use crate::scenario::World;
use crate::watcher::Entry;

/// The moments of one person.
#[derive(Debug)]
pub(super) struct Lane {
    pub(super) name: String,
    pub(super) moments: Vec<Moment>,
}

/// One event, or one change of the connection.
#[derive(Debug)]
pub(super) struct Moment {
    /// Since the run began.
    pub(super) at: Duration,
    pub(super) text: String,
}

/// Returns what each person received until the run ended.
pub(super) fn lanes(world: &World<'_>) -> Vec<Lane> {
    let end = world.ended_at();
    let people: Vec<(String, Vec<Entry>)> = world
        .people
        .values()
        .map(|person| (person.actor.user.to_string(), person.story.entries_from(0)))
        .collect();
    let events = people
        .iter()
        .flat_map(|(_, entries)| entries)
        .filter_map(as_event);
    let fastest = events.filter_map(clock_difference).min();
    people
        .into_iter()
        .map(|(name, entries)| Lane {
            name,
            moments: entries
                .iter()
                .filter_map(|entry| moment(entry, fastest))
                .filter(|moment| moment.at <= end)
                .collect(),
        })
        .collect()
}

fn as_event(entry: &Entry) -> Option<&Received> {
    match entry {
        Entry::Event(event) => Some(event),
        Entry::Line(_) => None,
    }
}

fn moment(entry: &Entry, fastest: Option<i64>) -> Option<Moment> {
    Some(match entry {
        // The line of the session says it, too.
        Entry::Event(event) if event.event == "rt:ready" => return None,
        Entry::Event(event) => Moment {
            at: committed_at(event, fastest),
            text: format!("{}{}", event.event, if event.replayed { " ↻" } else { "" }),
        },
        Entry::Line(line) => Moment {
            at: line.at,
            text: format!("· {}", line.text),
        },
    })
}

/// Returns the time of an event's commit, since the run began. One that was sent later stands where
/// it came.
fn committed_at(event: &Received, fastest: Option<i64>) -> Duration {
    let (Some(difference), Some(fastest)) = (clock_difference(event), fastest) else {
        return event.at;
    };
    if event.replayed {
        return event.at;
    }
    let on_the_way = u64::try_from(difference - fastest).unwrap_or_default();
    event.at.saturating_sub(Duration::from_millis(on_the_way))
}

/// Returns the milliseconds of the receipt, since the run began, less those of the commit by the
/// server's clock.
fn clock_difference(event: &Received) -> Option<i64> {
    let committed = event.data.pointer("/_rt/ts")?.as_i64()?;
    let received = i64::try_from(event.at.as_millis()).ok()?;
    Some(received - committed)
}

//! Checks the stretches of the log that each client was told it has, and the order of events within
//! a connection.

use std::collections::{BTreeMap, BTreeSet};

use super::{Fact, Got, History, Invariant, Moment, Position, Violation};

/// A stretch of the log: from a position that the client was given to the last position that it
/// saw. The client must have every event of its rooms in between.
#[derive(Debug)]
pub(super) struct Continuity<'a> {
    pub(super) client: &'a str,
    /// The moment at which the client was given the first position.
    pub(super) since: Moment,
    pub(super) from: &'a Position,
    pub(super) to: &'a Position,
    /// The rooms that the client was in during the whole stretch.
    pub(super) rooms: BTreeSet<&'a str>,
    /// The events that the client received, by position.
    pub(super) got: BTreeMap<&'a Position, &'a Got>,
}

impl Continuity<'_> {
    /// Returns whether the client must have an entry at this position in these rooms.
    pub(super) fn covers(&self, position: &Position, rooms: &BTreeSet<String>) -> bool {
        position.is_after(self.from) && !position.is_after(self.to) && self.in_any(rooms)
    }

    /// Returns whether the client was in one of these rooms during the whole stretch.
    pub(super) fn in_any(&self, rooms: &BTreeSet<String>) -> bool {
        rooms.iter().any(|room| self.rooms.contains(room.as_str()))
    }
}

/// Returns the stretches of all clients.
pub(super) fn stretches(history: &History) -> Vec<Continuity<'_>> {
    let mut done = Vec::new();
    let mut open: BTreeMap<&str, Continuity<'_>> = BTreeMap::new();
    let mut users: BTreeMap<&str, &str> = BTreeMap::new();
    for (when, fact) in &history.facts {
        match fact {
            Fact::Connected {
                client,
                user,
                claims,
            } => {
                users.insert(client, user);
                // A client that does not ask for what it missed starts a new stretch.
                if !claims {
                    done.extend(open.remove(client.as_str()));
                }
            }
            Fact::Revoked { user, room } => {
                for (client, stretch) in &mut open {
                    if users.get(*client) == Some(&user.as_str()) {
                        stretch.lose(room);
                    }
                }
            }
            Fact::Reset { client, at } => {
                done.extend(open.insert(client, new_stretch(client, *when, at)))
            }
            Fact::Ready {
                client,
                recovered,
                rooms,
                at,
            } => {
                let starts_again = |known: &Continuity<'_>| !recovered && !known.rooms.is_empty();
                if open.get(client.as_str()).is_none_or(starts_again) {
                    done.extend(open.insert(client, new_stretch(client, *when, at)));
                }
                open.entry(client)
                    .and_modify(|known| known.ready(rooms, at));
            }
            Fact::PositionUpdate { client, at } => {
                open.entry(client).and_modify(|known| known.reach(at));
            }
            Fact::Received { client, got } => {
                open.entry(client).and_modify(|known| known.take(got));
            }
            _ => (),
        }
    }
    done.extend(open.into_values());
    done
}

fn new_stretch<'a>(client: &'a str, since: Moment, from: &'a Position) -> Continuity<'a> {
    Continuity {
        client,
        since,
        from,
        to: from,
        rooms: BTreeSet::new(),
        got: BTreeMap::new(),
    }
}

impl<'a> Continuity<'a> {
    fn ready(&mut self, rooms: &'a BTreeSet<String>, at: &'a Position) {
        let rooms = rooms.iter().map(String::as_str);
        if self.rooms.is_empty() {
            self.rooms = rooms.collect();
        } else {
            let now: BTreeSet<_> = rooms.collect();
            self.rooms.retain(|room| now.contains(room));
        }
        self.reach(at);
    }

    fn lose(&mut self, room: &str) {
        self.rooms.remove(room);
    }

    fn reach(&mut self, at: &'a Position) {
        if at.is_after(self.to) {
            self.to = at;
        }
    }

    fn take(&mut self, got: &'a Got) {
        self.got.insert(&got.placed.at, got);
        self.reach(&got.placed.at);
    }
}

/// The state of one client's current connection.
#[derive(Debug, Default)]
struct Connection<'a> {
    claims: bool,
    reset: bool,
    last: Option<&'a Position>,
    epoch: Option<&'a str>,
}

/// Checks that each connection moves forward only, in one epoch, and that the server gives up a
/// client's position only with a reset.
pub(super) fn check(history: &History) -> Vec<Violation> {
    let mut wrong = Vec::new();
    let mut connections: BTreeMap<&str, Connection<'_>> = BTreeMap::new();
    for (_, fact) in &history.facts {
        let what = match fact {
            Fact::Connected { client, claims, .. } => {
                connections.entry(client).or_default().connect(*claims);
                None
            }
            Fact::Reset { client, at } => {
                connections.entry(client).or_default().reset_at(at);
                None
            }
            Fact::Ready {
                client,
                recovered,
                at,
                ..
            } => connections
                .entry(client)
                .or_default()
                .ready(*recovered, at)
                .map(|what| (client, what)),
            Fact::Received { client, got } => connections
                .entry(client)
                .or_default()
                .received(got)
                .map(|what| (client, what)),
            _ => None,
        };
        let shown = what.map(|(client, what)| format!("{client}: {what}"));
        wrong.extend(shown.map(|what| Violation::new(Invariant::OrderWithoutHoles, what)));
    }
    wrong
}

impl<'a> Connection<'a> {
    fn connect(&mut self, claims: bool) {
        *self = Self {
            claims,
            reset: false,
            last: None,
            epoch: self.epoch.filter(|_| claims),
        };
    }

    fn reset_at(&mut self, at: &'a Position) {
        self.reset = true;
        self.epoch = Some(at.epoch.as_str());
    }

    fn ready(&mut self, recovered: bool, at: &'a Position) -> Option<String> {
        let is_silent_loss = self.claims && !recovered && !self.reset;
        let changed_epoch = self.epoch.is_some_and(|epoch| epoch != at.epoch);
        self.epoch = Some(&at.epoch);
        if is_silent_loss {
            return Some(
                "asked for what it missed, and received neither that nor a reset".to_owned(),
            );
        }
        if recovered && changed_epoch {
            return Some(format!("recovered into another epoch, at {at:?}"));
        }
        None
    }

    fn received(&mut self, got: &'a Got) -> Option<String> {
        let at = &got.placed.at;
        let last = self.last.replace(at);
        if self.epoch.is_some_and(|epoch| epoch != at.epoch) {
            return Some(format!(
                "{} is of another epoch, without a reset",
                got.placed.value
            ));
        }
        let forward = last.is_none_or(|last| at.is_after(last));
        if forward {
            return None;
        }
        Some(format!(
            "{} at {at:?} came after {last:?}",
            got.placed.value
        ))
    }
}

//! Checks who received an event, against the rooms and the token of the receiver.

use std::collections::BTreeMap;
use std::time::Duration;

use super::index::Index;
use super::{Fact, Got, History, Invariant, Moment, Violation};

/// Grace period in which events of a room may still arrive after the user lost that room.
const ROOM_GRACE: Duration = Duration::from_secs(1);
/// Grace period in which events may still arrive after a token ended or was revoked.
const TOKEN_GRACE: Duration = Duration::from_secs(5);

/// Checks [`Invariant::AccessRespected`] for every received event.
pub(super) fn check(history: &History, index: &Index<'_>) -> Vec<Violation> {
    let mut rights = Rights::default();
    let mut wrong = Vec::new();
    for (when, fact) in &history.facts {
        match fact {
            Fact::Received { client, got } => {
                if let Some(what) = rights.find_violation(*when, client, got, index) {
                    wrong.push(Violation::new(Invariant::AccessRespected, what));
                }
            }
            other => rights.apply(*when, other),
        }
    }
    wrong
}

/// The access rights as they are at one moment of the history.
#[derive(Debug, Default)]
struct Rights<'a> {
    users: BTreeMap<&'a str, &'a str>,
    /// The end of access, by user and room. `None`: the access has no end.
    rooms: BTreeMap<(&'a str, &'a str), Option<Moment>>,
    tokens: BTreeMap<&'a str, Moment>,
}

impl<'a> Rights<'a> {
    fn apply(&mut self, when: Moment, fact: &'a Fact) {
        match fact {
            Fact::Connected { client, user, .. } => {
                self.users.insert(client, user);
            }
            Fact::Granted { user, room } => {
                self.rooms.insert((user, room), None);
            }
            Fact::Revoked { user, room } => {
                self.rooms.insert((user, room), Some(when));
            }
            Fact::Token { client, until } => {
                self.tokens.insert(client, *until);
            }
            _ => (),
        }
    }

    fn find_violation(
        &self,
        when: Moment,
        client: &str,
        got: &Got,
        index: &Index<'_>,
    ) -> Option<String> {
        // A value that was never published has no rooms to compare with. It is reported as a
        // phantom (`Invariant::NoPhantom`).
        let value = index.values.get(got.placed.value.as_str())?;
        let user = self.users.get(client).copied().unwrap_or_default();
        let is_allowed = value
            .rooms
            .iter()
            .any(|room| self.may_see(when, user, room));
        if !is_allowed {
            return Some(format!(
                "{client} ({user}) got {}, which is for {:?}",
                got.placed.value, value.rooms
            ));
        }
        let until = self.tokens.get(client)?;
        if when <= *until + TOKEN_GRACE {
            return None;
        }
        Some(format!(
            "{client} got {} at {when:?}, its token ended {until:?}",
            got.placed.value
        ))
    }

    fn may_see(&self, when: Moment, user: &str, room: &str) -> bool {
        match self.rooms.get(&(user, room)) {
            Some(None) => true,
            Some(Some(until)) => when <= *until + ROOM_GRACE,
            None => false,
        }
    }
}

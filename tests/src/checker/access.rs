//! Who may see what, and until when.

use std::collections::BTreeMap;
use std::time::Duration;

use super::index::Index;
use super::{Fact, Got, History, Invariant, Moment, Violation};

/// How long after losing a room something of it may still arrive.
const AFTER_ROOM: Duration = Duration::from_secs(1);
/// How long after a token's end, or its revocation, anything may.
const AFTER_TOKEN: Duration = Duration::from_secs(5);

/// I5 of everything that anybody got.
pub(super) fn check(history: &History, index: &Index<'_>) -> Vec<Violation> {
    let mut rights = Rights::default();
    let mut wrong = Vec::new();
    for (when, fact) in &history.facts {
        match fact {
            Fact::Received { client, got } => {
                let found = rights.refuse(*when, client, got, index);
                wrong.extend(found.map(|what| Violation::new(Invariant::OnlyToThoseWhoMay, what)));
            }
            other => rights.learn(*when, other),
        }
    }
    wrong
}

/// As of a moment.
#[derive(Debug, Default)]
struct Rights<'a> {
    users: BTreeMap<&'a str, &'a str>,
    /// Until when, by user and room; for ever where there is no end.
    rooms: BTreeMap<(&'a str, &'a str), Option<Moment>>,
    tokens: BTreeMap<&'a str, Moment>,
}

impl<'a> Rights<'a> {
    fn learn(&mut self, when: Moment, fact: &'a Fact) {
        match fact {
            Fact::Connected { client, user, .. } => {
                self.users.insert(client, user);
            }
            Fact::Granted { user, room } => {
                self.rooms.insert((user, room), None);
            }
            Fact::Withdrawn { user, room } => {
                self.rooms.insert((user, room), Some(when));
            }
            Fact::Token { client, until } => {
                self.tokens.insert(client, *until);
            }
            _ => (),
        }
    }

    fn refuse(&self, when: Moment, client: &str, got: &Got, index: &Index<'_>) -> Option<String> {
        // What nobody published has no rooms to judge by; that is I4's.
        let value = index.values.get(got.placed.value.as_str())?;
        let user = self.users.get(client).copied().unwrap_or_default();
        let may = value
            .rooms
            .iter()
            .any(|room| self.may_see(when, user, room));
        if !may {
            return Some(format!(
                "{client} ({user}) got {}, which is for {:?}",
                got.placed.value, value.rooms
            ));
        }
        let until = self.tokens.get(client)?;
        let late = when > *until + AFTER_TOKEN;
        late.then(|| {
            format!(
                "{client} got {} at {when:?}, its token ended {until:?}",
                got.placed.value
            )
        })
    }

    fn may_see(&self, when: Moment, user: &str, room: &str) -> bool {
        match self.rooms.get(&(user, room)) {
            Some(None) => true,
            Some(Some(until)) => when <= *until + AFTER_ROOM,
            None => false,
        }
    }
}

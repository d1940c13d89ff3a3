//! What is known of each value, looked up by its name: who published it, with what answer, and who
//! got it.

use std::collections::{BTreeMap, BTreeSet};

use super::{Fact, Got, History, Moment, Place, Placed};

/// A write, with all that became of it.
#[derive(Debug)]
pub(super) struct Written<'a> {
    pub(super) name: &'a str,
    pub(super) keyed: bool,
    /// The first try.
    pub(super) attempted: Moment,
    /// The first success.
    pub(super) acknowledged: Option<Moment>,
    /// Whether a try was refused.
    refused: bool,
    /// Whether the outcome of a try is not known.
    unknown: bool,
}

/// One value that somebody wanted to publish.
#[derive(Debug)]
pub(super) struct Value<'a> {
    pub(super) write: &'a str,
    pub(super) rooms: &'a BTreeSet<String>,
    /// Where the answer says that it is.
    pub(super) said: Option<&'a Placed>,
    /// As somebody got it first.
    pub(super) got: Option<&'a Got>,
}

/// Writes and values of a history, by their names.
#[derive(Debug, Default)]
pub(super) struct Index<'a> {
    pub(super) writes: BTreeMap<&'a str, Written<'a>>,
    pub(super) values: BTreeMap<&'a str, Value<'a>>,
    /// When the server, or something that it stands on, was killed.
    pub(super) kills: Vec<Moment>,
}

impl<'a> Index<'a> {
    pub(super) fn of(history: &'a History) -> Self {
        let mut index = Self::default();
        for (when, fact) in &history.facts {
            index.take(*when, fact);
        }
        index
    }

    /// Who published this value.
    pub(super) fn write_of(&self, value: &str) -> Option<&Written<'a>> {
        self.writes.get(self.values.get(value)?.write)
    }

    fn take(&mut self, when: Moment, fact: &'a Fact) {
        match fact {
            Fact::Attempted(write) => self.attempted(when, write),
            Fact::Acknowledged { write, placed, .. } => self.acknowledged(when, write, placed),
            Fact::Unknown { write } => self.tried(write, |write| write.unknown = true),
            Fact::Refused { write } => self.tried(write, |write| write.refused = true),
            Fact::Received { got, .. } => {
                if let Some(value) = self.values.get_mut(got.placed.value.as_str()) {
                    value.got.get_or_insert(got);
                }
            }
            Fact::Killed | Fact::Slowed { .. } | Fact::Stopped { .. } => self.kills.push(when),
            _ => (),
        }
    }

    fn attempted(&mut self, when: Moment, write: &'a super::Write) {
        let name = write.name.as_str();
        self.writes.entry(name).or_insert(Written {
            name,
            keyed: write.keyed,
            attempted: when,
            acknowledged: None,
            refused: false,
            unknown: false,
        });
        for (value, rooms) in &write.effects {
            self.values.entry(value).or_insert(Value {
                write: name,
                rooms,
                said: None,
                got: None,
            });
        }
    }

    fn acknowledged(&mut self, when: Moment, write: &str, placed: &'a [Placed]) {
        if let Some(write) = self.writes.get_mut(write) {
            write.acknowledged.get_or_insert(when);
        }
        for placed in placed {
            if let Some(value) = self.values.get_mut(placed.value.as_str()) {
                value.said.get_or_insert(placed);
            }
        }
    }

    fn tried(&mut self, write: &str, outcome: impl FnOnce(&mut Written<'a>)) {
        if let Some(write) = self.writes.get_mut(write) {
            outcome(write);
        }
    }
}

impl Written<'_> {
    /// Whether it is known that it did not happen.
    pub(super) fn did_not_happen(&self) -> bool {
        self.refused && !self.unknown && self.acknowledged.is_none()
    }
}

impl<'a> Value<'a> {
    /// Where it is, as far as anybody knows.
    pub(super) fn place(&self) -> Option<&'a Place> {
        self.got
            .map(|got| &got.placed)
            .or(self.said)
            .map(|placed| &placed.at)
    }
}

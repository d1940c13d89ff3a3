//! An index of the writes and values of a history: who published a value, with what response, and
//! which client received it.

use std::collections::{BTreeMap, BTreeSet};

use super::{Fact, Got, History, Invariant, Moment, Placed, Position};

/// A write with all of its outcomes.
#[derive(Debug)]
pub(super) struct Written<'a> {
    pub(super) name: &'a str,
    pub(super) keyed: bool,
    /// The moment of the first attempt.
    pub(super) attempted: Moment,
    /// The moment of the first success.
    pub(super) acknowledged: Option<Moment>,
    /// True if an attempt was refused.
    refused: bool,
    /// True if the outcome of an attempt is unknown.
    unknown: bool,
}

/// One value that a writer wanted to publish.
#[derive(Debug)]
pub(super) struct Value<'a> {
    pub(super) write: &'a str,
    pub(super) rooms: &'a BTreeSet<String>,
    /// The position that the response states.
    pub(super) stated: Option<&'a Placed>,
    /// The first delivery of the value.
    pub(super) got: Option<&'a Got>,
}

/// The writes and values of a history, by name.
#[derive(Debug, Default)]
pub(super) struct Index<'a> {
    pub(super) writes: BTreeMap<&'a str, Written<'a>>,
    pub(super) values: BTreeMap<&'a str, Value<'a>>,
    /// The moments at which the server, or a service that it depends on, was killed.
    pub(super) kills: Vec<Moment>,
}

impl<'a> Index<'a> {
    pub(super) fn new(history: &'a History) -> Self {
        let mut index = Self::default();
        for (when, fact) in &history.facts {
            index.take(*when, fact);
        }
        index
    }

    /// Returns the write that published this value.
    pub(super) fn write_of(&self, value: &str) -> Option<&Written<'a>> {
        self.writes.get(self.values.get(value)?.write)
    }

    /// Returns the invariant that the loss of an acknowledged write breaks: a kill after the
    /// response shows that the write was not durable.
    pub(super) fn loss_after(&self, acknowledged: Moment) -> Invariant {
        if self.kills.iter().any(|kill| *kill > acknowledged) {
            Invariant::DurableBeforeAnswer
        } else {
            Invariant::NoLoss
        }
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
                stated: None,
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
                value.stated.get_or_insert(placed);
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
    /// Returns whether the write certainly did not happen.
    pub(super) fn did_not_happen(&self) -> bool {
        self.refused && !self.unknown && self.acknowledged.is_none()
    }
}

impl<'a> Value<'a> {
    /// Returns the position of the value, if a delivery or a response states it.
    pub(super) fn position(&self) -> Option<&'a Position> {
        self.got
            .map(|got| &got.placed)
            .or(self.stated)
            .map(|placed| &placed.at)
    }
}

//! A builder of histories, fact by fact, with its own clock.

use std::collections::BTreeSet;
use std::time::Duration;

use super::super::{Fact, Got, History, Moment, Placed, Position, Write};

/// A history under construction.
#[derive(Debug, Default)]
pub(super) struct Story {
    pub(super) now: Moment,
    pub(super) history: History,
}

/// Returns a position in epoch 1.
pub(super) fn at(n: u64) -> Position {
    position(1, n)
}

pub(super) fn position(epoch: u64, n: u64) -> Position {
    Position {
        epoch: format!("epoch{epoch}"),
        n,
    }
}

pub(super) fn rooms(names: &[&str]) -> BTreeSet<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

/// Returns a write of one value of the same name.
pub(super) fn write(value: &str, room: &str, keyed: bool) -> Write {
    Write {
        name: value.to_owned(),
        keyed,
        effects: vec![(value.to_owned(), rooms(&[room]))],
    }
}

/// Returns a value with an id that is derived from it.
pub(super) fn placed(value: &str, at: Position) -> Placed {
    Placed {
        value: value.to_owned(),
        id: format!("id-{value}"),
        at,
    }
}

pub(super) fn got(value: &str, at: Position) -> Got {
    Got {
        placed: placed(value, at),
        payload: format!("payload of {value}"),
    }
}

impl Story {
    /// Adds a fact 5 ms after the previous one.
    pub(super) fn add(&mut self, fact: Fact) -> &mut Self {
        self.wait(Duration::from_millis(5));
        self.history.facts.push((self.now, fact));
        self
    }

    pub(super) fn wait(&mut self, time: Duration) -> &mut Self {
        self.now += time;
        self
    }

    pub(super) fn grant(&mut self, user: &str, room: &str) -> &mut Self {
        self.add(Fact::Granted {
            user: user.to_owned(),
            room: room.to_owned(),
        })
    }

    pub(super) fn withdraw(&mut self, user: &str, room: &str) -> &mut Self {
        self.add(Fact::Revoked {
            user: user.to_owned(),
            room: room.to_owned(),
        })
    }

    /// Adds a connection of the user's client, which has the user's name.
    pub(super) fn connect(&mut self, client: &str, claims: bool) -> &mut Self {
        let user = client.to_owned();
        self.add(Fact::Connected {
            client: client.to_owned(),
            user,
            claims,
        })
    }

    pub(super) fn ready(
        &mut self,
        client: &str,
        recovered: bool,
        within: &[&str],
        at: Position,
    ) -> &mut Self {
        self.add(Fact::Ready {
            client: client.to_owned(),
            recovered,
            rooms: rooms(within),
            at,
        })
    }

    pub(super) fn reset(&mut self, client: &str, at: Position) -> &mut Self {
        self.add(Fact::Reset {
            client: client.to_owned(),
            at,
        })
    }

    pub(super) fn disconnect(&mut self, client: &str) -> &mut Self {
        self.add(Fact::Disconnected {
            client: client.to_owned(),
        })
    }

    pub(super) fn get(&mut self, client: &str, value: &str, at: Position) -> &mut Self {
        self.add(Fact::Received {
            client: client.to_owned(),
            got: got(value, at),
        })
    }

    pub(super) fn attempt(&mut self, value: &str, room: &str) -> &mut Self {
        self.add(Fact::Attempted(write(value, room, false)))
    }

    pub(super) fn acknowledge(&mut self, value: &str) -> &mut Self {
        self.add(Fact::Acknowledged {
            write: value.to_owned(),
            made: value.to_owned(),
            placed: Vec::new(),
        })
    }

    pub(super) fn publish(&mut self, value: &str, room: &str) -> &mut Self {
        self.attempt(value, room).acknowledge(value)
    }

    pub(super) fn unknown(&mut self, value: &str) -> &mut Self {
        self.add(Fact::Unknown {
            write: value.to_owned(),
        })
    }

    pub(super) fn refuse(&mut self, value: &str) -> &mut Self {
        self.add(Fact::Refused {
            write: value.to_owned(),
        })
    }
}

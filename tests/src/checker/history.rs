//! A history: what somebody outside did and saw, each fact with its moment.

use std::collections::BTreeSet;
use std::time::Duration;

/// A moment on the recorder's one monotonic clock: how long after it began.
pub type Moment = Duration;

/// All facts, by rising moment.
#[derive(Debug, Clone, Default)]
pub struct History {
    /// When, and what.
    pub facts: Vec<(Moment, Fact)>,
}

/// A place in a log. Places of different epochs have no order that means anything.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Place {
    /// The unbroken history that it belongs to.
    pub epoch: String,
    /// The number of the entry.
    pub n: u64,
}

impl Place {
    /// Of a position's text, `epoch-check.n`.
    #[must_use]
    pub fn parse(position: &str) -> Option<Self> {
        let (start, n) = position.rsplit_once('.')?;
        let (epoch, _check) = start.split_once('-')?;
        Some(Self {
            epoch: epoch.to_owned(),
            n: n.parse().ok()?,
        })
    }

    /// Whether this place is after that one in the same epoch.
    #[must_use]
    pub fn is_after(&self, other: &Self) -> bool {
        self.epoch == other.epoch && self.n > other.n
    }
}

/// What a writer wants to happen, however often it tries.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Write {
    /// Its own name.
    pub name: String,
    /// Whether each try carries the same idempotency key, or is the same event of the provider.
    pub keyed: bool,
    /// The values that it publishes, none of which anything else publishes, and the rooms of each.
    pub effects: Vec<(String, BTreeSet<String>)>,
}

/// Where a value is in the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Placed {
    /// The value.
    pub value: String,
    /// The event's id.
    pub id: String,
    /// Its place.
    pub at: Place,
}

/// An event as a client got it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Got {
    /// What, and where it says it is.
    pub placed: Placed,
    /// All of it, as text.
    pub payload: String,
}

/// Something that is counted, and must not grow for ever.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Resource {
    /// File descriptors of the server.
    Descriptors,
    /// Its resident memory, in KiB. Allocators keep some: half as much again is allowed, and 16
    /// MiB.
    Memory,
    /// Its sessions.
    Sessions,
    /// Its rooms.
    Rooms,
}

/// One thing that was done or seen. Clients, users, writes and rooms are called by their names.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(
    missing_docs,
    reason = "the fields are what the variants' sentences name"
)]
pub enum Fact {
    /// A writer is about to try. A retry has the same name.
    Attempted(Write),
    /// A try was answered with success: what it made, and where its events are if the answer says
    /// so.
    Acknowledged {
        write: String,
        made: String,
        placed: Vec<Placed>,
    },
    /// A try was not answered: it may have happened.
    Unknown { write: String },
    /// A try was refused: it did not happen.
    Refused { write: String },
    /// Somebody looked for what an acknowledged write made.
    Audited { write: String, found: bool },
    /// Somebody counted what the provider's event or the key has made.
    Counted { write: String, made: usize },

    /// A client has sent CONNECT as this user; `claims` where it asks for what it missed.
    Connected {
        client: String,
        user: String,
        claims: bool,
    },
    /// It got `rt:ready`.
    Ready {
        client: String,
        recovered: bool,
        rooms: BTreeSet<String>,
        at: Place,
    },
    /// It got `rt:reset`.
    Reset { client: String, at: Place },
    /// It got `rt:position`.
    Told { client: String, at: Place },
    /// It got an event of the log.
    Received { client: String, got: Got },
    /// Its transport is gone.
    Disconnected { client: String },
    /// It will not come back, and was not meant to.
    Left { client: String },

    /// The user may see this room from now on.
    Granted { user: String, room: String },
    /// The user may not any more.
    Withdrawn { user: String, room: String },
    /// The client's token: until when it is good. A new one replaces it; a revoked one ends when it
    /// is revoked.
    Token { client: String, until: Moment },

    /// The server listens.
    Started,
    /// It was killed as by a power cut.
    Killed,
    /// It was asked to end.
    Asked,
    /// It has ended, by itself or because it was asked to; no code where a signal ended it.
    Ended { code: Option<i32> },
    /// A line of its output.
    Said(String),
    /// One of several nodes, or something beside the nodes, broke: delivery goes on, if not as
    /// fast.
    Slowed { by: String },
    /// What nodes read the log from broke: no delivery is due until the next healing.
    Stopped { by: String },
    /// The last fault is over: from here on everything works.
    Healed,
    /// How much of something the server has now.
    Sampled { resource: Resource, amount: u64 },
}

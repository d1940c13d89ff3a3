//! A history: everything that the clients and the test did and saw, each fact with its moment.

use std::collections::BTreeSet;
use std::time::Duration;

/// A moment on the recorder's monotonic clock: the time since the recorder was created.
pub type Moment = Duration;

/// All facts, ordered by moment.
#[derive(Debug, Clone, Default)]
pub struct History {
    /// The moments and their facts.
    pub facts: Vec<(Moment, Fact)>,
}

/// A position in a log. Positions of different epochs cannot be compared.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Position {
    /// The epoch: one unbroken history of the log.
    pub epoch: String,
    /// The number of the entry.
    pub n: u64,
}

impl Position {
    /// Parses the text of a position, `epoch-check.n`.
    #[must_use]
    pub fn parse(position: &str) -> Option<Self> {
        let (start, n) = position.rsplit_once('.')?;
        let (epoch, _check) = start.split_once('-')?;
        Some(Self {
            epoch: epoch.to_owned(),
            n: n.parse().ok()?,
        })
    }

    /// Returns whether this position is after the other one in the same epoch.
    #[must_use]
    pub fn is_after(&self, other: &Self) -> bool {
        self.epoch == other.epoch && self.n > other.n
    }
}

/// One intended change, whatever the number of attempts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Write {
    /// The unique name of the write.
    pub name: String,
    /// True if every attempt carries the same idempotency key, or is the same event of the payment
    /// provider.
    pub keyed: bool,
    /// The values that the write publishes, each with its rooms. No other write publishes one of
    /// them.
    pub effects: Vec<(String, BTreeSet<String>)>,
}

/// A value with its id and its position in the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Placed {
    /// The value.
    pub value: String,
    /// The event's id.
    pub id: String,
    /// The position.
    pub at: Position,
}

/// An event as a client received it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Got {
    /// The value, the id and the position that the event states.
    pub placed: Placed,
    /// The whole event, as text.
    pub payload: String,
}

/// A quantity of the server that must not grow without bound.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Resource {
    /// File descriptors of the server.
    Descriptors,
    /// Resident memory of the server, in KiB. Allocators keep freed memory: half as much again and
    /// 16 MiB are allowed.
    Memory,
    /// Sessions of the server.
    Sessions,
    /// Rooms of the server.
    Rooms,
}

/// One thing that was done or seen. Clients, users, writes and rooms are identified by their names.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(
    missing_docs,
    reason = "the fields are what the variants' sentences name"
)]
pub enum Fact {
    /// A writer is about to send a write. A retry has the same name.
    Attempted(Write),
    /// An attempt was answered with success. `made` is the id of what was created; `placed` has the
    /// positions of the events, if the response names them.
    Acknowledged {
        write: String,
        made: String,
        placed: Vec<Placed>,
    },
    /// An attempt got no conclusive response: the write may have happened.
    Unknown { write: String },
    /// An attempt was refused: the write did not happen.
    Refused { write: String },
    /// The store was searched for what an acknowledged write created.
    Audited { write: String, found: bool },
    /// The store was searched for everything that one key, or one event of the provider, created.
    Counted { write: String, made: usize },

    /// A client has sent CONNECT as this user. `claims` is true if it asks for what it missed.
    Connected {
        client: String,
        user: String,
        claims: bool,
    },
    /// A client received `rt:ready`.
    Ready {
        client: String,
        recovered: bool,
        rooms: BTreeSet<String>,
        at: Position,
    },
    /// A client received `rt:reset`.
    Reset { client: String, at: Position },
    /// A client received `rt:position`.
    PositionUpdate { client: String, at: Position },
    /// A client received an event of the log.
    Received { client: String, got: Got },
    /// A client's transport is closed.
    Disconnected { client: String },
    /// A client has ended on purpose and will not connect again.
    Left { client: String },

    /// The user may see this room from now on.
    Granted { user: String, room: String },
    /// The user may no longer see this room.
    Revoked { user: String, room: String },
    /// A client's token is valid until this moment. A newer fact replaces an older one. The
    /// validity of a revoked token ends when it is revoked.
    Token { client: String, until: Moment },

    /// The server listens.
    Started,
    /// The server was killed with SIGKILL, as by a power cut.
    Killed,
    /// The server was asked to end.
    AskedToEnd,
    /// The server has ended, with or without a request. The code is absent if a signal ended it.
    Ended { code: Option<i32> },
    /// The server printed this line.
    Printed(String),
    /// One of several nodes, or a service beside the nodes, broke: delivery continues, but may be
    /// slower.
    Slowed { by: String },
    /// The service from which the nodes read the log broke: no delivery is due until the next
    /// `Healed`.
    Stopped { by: String },
    /// The last fault is over: everything works from now on.
    Healed,
    /// The amount of a resource that the server holds now.
    Sampled { resource: Resource, amount: u64 },
}

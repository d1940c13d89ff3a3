//! The phase of a session, with what is known in it. A pure kernel.
//!
//! ```text
//! AwaitingResume ─▶ NotBegun ─▶ Starting ─▶ CatchingUp ◀─▶ Live
//!                                  │          ▲   │          │
//!                                  │          │   ▼          │
//!                                  └───────▶ Resetting ◀─────┘
//! ```
//!
//! Each arrow is a method of [`Phase`], in [`transitions`]. A method does nothing in a phase that
//! it has no arrow from: the node acts on all of its sessions and does not know in which phase each
//! of them is.

#[cfg(test)]
pub(super) mod tests;
mod transitions;

use super::request::ConnectRequest;
use crate::{Position, values::Epoch};

/// The phase of a session.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Phase {
    /// The client has asked to send `rt:resume` first. Nothing is handed over until it does, or
    /// until `RESUME_EVENT_TIMEOUT`.
    AwaitingResume(BeforeStart),
    /// The next step of the session's task begins the start.
    NotBegun(BeforeStart),
    /// A step joins the client's order rooms and finds the position to continue from.
    Starting(Starting),
    /// Takes nothing from the dispatcher; reads from its cursor on.
    CatchingUp(CatchingUp),
    /// Hands over nothing: the log has a new epoch, and the client is yet to be told to reload. The
    /// cursor is one of the old epoch.
    Resetting(CatchingUp),
    /// Takes entries as they are dispatched. `rt:ready` was queued.
    Live(Cursor),
}

/// The facts about a session whose start has not begun.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct BeforeStart {
    request: ConnectRequest,
    starting: Starting,
}

/// The facts about a session that has no cursor yet.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Starting {
    /// The head of the log when the client connected. A client that resumes from no position
    /// receives what follows it. `None` if the log could not be read then.
    log_head_at_connect: Option<Position>,
    /// The id under which the client wants its `rt:resume` acknowledged.
    resume_ack: Option<i64>,
    /// The log has had a new epoch since the client connected. The client is told to reload as soon
    /// as the session has a cursor.
    has_lost_history: bool,
}

/// The facts about a session that catches up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct CatchingUp {
    cursor: Cursor,
    /// A join replays a room: nothing else is handed over meanwhile.
    is_paused: bool,
    /// The size of the entry that there was no credit for; 0 if there is none.
    blocked_entry_size: usize,
    /// The content of the next `rt:ready`; `None` if it was sent.
    ready: Option<PendingReady>,
}

/// The content of the `rt:ready` that is sent when the session is live.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct PendingReady {
    /// The client's position was honoured.
    pub(super) recovered: bool,
    /// Entries replayed since the cursor was set.
    pub(super) replayed: usize,
    /// The id under which `rt:resume` is acknowledged before.
    pub(super) resume_ack: Option<i64>,
}

/// The last entry that was handed over, or was not for the session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Cursor {
    epoch: Epoch,
    n: u64,
}

/// The inbound events that a session takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Intake {
    /// None; they wait.
    Nothing,
    /// `rt:resume`; the others wait.
    OnlyResume,
    /// All.
    Everything,
}

impl BeforeStart {
    /// Returns what is known of a session when its client connects. `log_head` is the head of the
    /// log, or `None` if the log could not be read.
    pub(crate) fn new(request: ConnectRequest, log_head: Option<Position>) -> Self {
        Self {
            request,
            starting: Starting {
                log_head_at_connect: log_head,
                ..Starting::default()
            },
        }
    }
}

impl CatchingUp {
    const fn new(cursor: Cursor, ready: Option<PendingReady>) -> Self {
        Self {
            cursor,
            is_paused: false,
            blocked_entry_size: 0,
            ready,
        }
    }
}

impl Cursor {
    const fn at(position: Position) -> Self {
        Self {
            epoch: position.epoch(),
            n: position.n(),
        }
    }

    /// Returns the epoch of the entry.
    pub(super) const fn epoch(self) -> Epoch {
        self.epoch
    }

    /// Returns the number of the entry.
    pub(super) const fn n(self) -> u64 {
        self.n
    }

    fn advanced_to(self, n: u64) -> Self {
        Self {
            n: self.n.max(n),
            ..self
        }
    }
}

impl Phase {
    /// Returns the head of the log when the client connected; `None` if it is not known, or the
    /// session has a cursor instead.
    pub(super) const fn log_head_at_connect(&self) -> Option<Position> {
        match self {
            Self::AwaitingResume(before) | Self::NotBegun(before) => {
                before.starting.log_head_at_connect
            }
            Self::Starting(starting) => starting.log_head_at_connect,
            Self::CatchingUp(_) | Self::Resetting(_) | Self::Live(_) => None,
        }
    }

    /// Returns the cursor; `None` until the start is complete.
    pub(super) const fn cursor(&self) -> Option<Cursor> {
        match self {
            Self::AwaitingResume(_) | Self::NotBegun(_) | Self::Starting(_) => None,
            Self::CatchingUp(catching_up) | Self::Resetting(catching_up) => {
                Some(catching_up.cursor)
            }
            Self::Live(cursor) => Some(*cursor),
        }
    }

    /// Returns whether the client was sent `rt:ready`, and was not told to reload since.
    pub(super) const fn is_ready(&self) -> bool {
        match self {
            Self::AwaitingResume(_) | Self::NotBegun(_) | Self::Starting(_) => false,
            Self::CatchingUp(catching_up) | Self::Resetting(catching_up) => {
                catching_up.ready.is_none()
            }
            Self::Live(_) => true,
        }
    }

    /// Returns the inbound events that the session takes if there is credit for the answers.
    pub(super) const fn intake(&self) -> Intake {
        match self {
            Self::AwaitingResume(_) => Intake::OnlyResume,
            Self::NotBegun(_) | Self::Starting(_) => Intake::Nothing,
            Self::CatchingUp(_) | Self::Resetting(_) | Self::Live(_) => Intake::Everything,
        }
    }

    /// Returns whether entries may be handed over while catching up.
    pub(super) const fn may_replay(&self) -> bool {
        matches!(self, Self::CatchingUp(catching_up) if !catching_up.is_paused)
    }

    /// Returns the size of the entry for which the next step needs credit; 0 if that is not known.
    /// Returns `None` if a step could neither start the session nor hand over an entry.
    pub(super) const fn credit_for_step(&self) -> Option<usize> {
        match self {
            Self::NotBegun(_) => Some(0),
            Self::CatchingUp(catching_up) if !catching_up.is_paused => {
                Some(catching_up.blocked_entry_size)
            }
            _ => None,
        }
    }
}

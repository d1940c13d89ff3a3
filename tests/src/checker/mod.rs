//! The checker: a pure function from a recorded history to the invariants that the history breaks.
//!
//! During a test, writers publish unique values, readers record what they receive, and faults begin
//! and end. Afterwards [`check`] judges the whole [`History`]. It knows nothing of the server's
//! inside: only what clients and the test did and saw, and when. A publish whose outcome is unknown
//! may have happened once or not at all.
//!
//! The events that a client must have received follow from what the server *told* it. From the
//! position of an `rt:ready` without a recovery, or of an `rt:reset`, up to the last position that
//! the client saw, it has everything of its rooms. That stretch is its `Continuity`
//! (`continuity.rs`), across any number of connections. If the server told the client to reload,
//! nothing between two stretches is due.

mod access;
mod continuity;
mod delivery;
mod ending;
mod history;
mod index;
mod loss;
mod once;
mod prompt;
mod recorder;
mod tally;
#[cfg(test)]
mod tests;

use std::fmt;

pub use history::{Fact, Got, History, Moment, Placed, Position, Resource, Write};
pub use recorder::Recorder;

use index::Index;

/// The guarantees that every run must keep.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Invariant {
    /// Nothing that was acknowledged is lost.
    NoLoss,
    /// Events arrive in the order of the log, and a hole comes with a reset.
    OrderWithoutHoles,
    /// Exactly once after dedupe by id. A duplicate is identical in every respect.
    ExactlyOnce,
    /// Only published events arrive.
    NoPhantom,
    /// A client receives only what its user may see. A room is silent 1 s after the user lost
    /// it, a connection 5 s after its token ended.
    AccessRespected,
    /// After the last client has left, every counted resource is back at its first amount.
    NothingLeaks,
    /// Every client is ready 30 s after the last fault.
    ReconnectedInTime,
    /// A success is answered only after it is durable.
    DurableBeforeAnswer,
    /// One idempotency key, or one event of the payment provider, acts once.
    OncePerKey,
    /// An acknowledged event reaches every connected client within 2.5 s, on every node, with
    /// Redis or without.
    DeliveredInTime,
    /// The server ends when it is asked to, in time, with exit code 0, and never with a panic.
    CleanEnd,
}

/// A broken invariant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    /// The invariant that is broken.
    pub invariant: Invariant,
    /// The facts that break it.
    pub what: String,
}

impl Violation {
    fn new(invariant: Invariant, what: impl Into<String>) -> Self {
        Self {
            invariant,
            what: what.into(),
        }
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}: {}", self.invariant, self.what)
    }
}

/// Returns everything that is wrong with this history. The list is empty for a correct history.
#[must_use]
pub fn check(history: &History) -> Vec<Violation> {
    let index = Index::new(history);
    let spans = continuity::stretches(history);
    let rules = [
        delivery::check(history, &index),
        continuity::check(history),
        loss::check(&index, &spans),
        access::check(history, &index),
        once::check(history, &index),
        prompt::check(history, &index),
        ending::check(history),
    ];
    rules.concat()
}

/// Prints a summary of the history, and panics with its violations if there are any.
#[track_caller]
pub fn assert_correct(what: &str, history: &History) {
    eprintln!("{what}: {}", tally::tally(history));
    let violations = check(history);
    let shown: Vec<_> = violations
        .iter()
        .take(20)
        .map(ToString::to_string)
        .collect();
    assert!(
        violations.is_empty(),
        "{} violations, the first:\n{}",
        violations.len(),
        shown.join("\n")
    );
}

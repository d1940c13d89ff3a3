//! The checker: one pure function from what was recorded to what was broken.
//!
//! Writers publish unique values, readers record what they get, faults come and go; afterwards
//! [`check`] judges the whole [`History`]. It knows nothing of the server: only what somebody
//! outside did and saw, and when. A publish whose outcome is unknown may have happened or not, but
//! once.
//!
//! What a client must have got follows from what it was *told*. From the position of an `rt:ready`
//! without a recovery, or of an `rt:reset`, up to the last position that it saw, it has everything
//! of its rooms: that stretch is its [`Continuity`](continuity::Continuity), across any number of
//! connections. Where it was told to reload, nothing is owed to it in between.

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

pub use history::{Fact, Got, History, Moment, Place, Placed, Resource, Write};
pub use recorder::Recorder;

use index::Index;

/// What always holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Invariant {
    /// I1: nothing that was acknowledged is lost.
    NoLoss,
    /// I2: the log's order, and no hole without a reset.
    OrderWithoutHoles,
    /// I3: after dedupe by id exactly once; a duplicate is the same in everything.
    ExactlyOnce,
    /// I4: nothing arrives that nobody published.
    NoPhantom,
    /// I5: nobody gets what they may not see, nor 1 s after losing the room, nor 5 s after the
    /// token's end.
    OnlyToThoseWhoMay,
    /// I6: after the last client everything that is counted is where it was at the start.
    NothingLeaks,
    /// I7: everybody is back 30 s after the last fault.
    BackInTime,
    /// I8: no success is answered before it is durable.
    DurableBeforeAnswer,
    /// I9: the same idempotency key, or the provider's same event, acts once.
    OncePerKey,
    /// D7: what was acknowledged is with everybody who is here within 2.5 s, on whatever node, with
    /// Redis or without.
    InTime,
    /// I11: the server ends when it is told to, in time, with 0, and never by a panic.
    CleanEnd,
}

/// A broken invariant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    /// Which one.
    pub invariant: Invariant,
    /// By what.
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

/// Everything that is wrong with this history; empty where nothing is.
#[must_use]
pub fn check(history: &History) -> Vec<Violation> {
    let index = Index::of(history);
    let spans = continuity::of(history);
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

/// Says what was in this history, and panics with what is wrong with it.
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

//! The result of judging an expectation.

use super::nearest::Nearest;
use super::times::Times;

/// The result of judging an expectation of events.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Judgement {
    pub(crate) outcome: ExpectationOutcome,
    /// The indexes of the events that fit.
    pub(crate) fitting: Vec<usize>,
    /// The indexes of the events of this name that are copies of earlier ones: they do not count.
    pub(crate) copies: Vec<usize>,
    /// The number of events on which `match` or `where` decided. If it is 0 for all watchers, a
    /// `never` proves nothing.
    pub(crate) judged: usize,
    /// The event that nearly fits, if one is missing.
    pub(crate) nearest: Option<Nearest>,
}

/// The answer to an expectation of events.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum ExpectationOutcome {
    Met,
    /// Fewer events came than are wanted.
    Missing {
        got: usize,
        wanted: Times,
    },
    /// More events came than are wanted.
    TooMany {
        got: usize,
        wanted: Times,
    },
    /// Events came though none is wanted.
    Unwanted {
        got: usize,
    },
}

/// An event that a filter cannot judge: neither "met" nor "not met" would be true.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[error("`{filter}` cannot judge {event}: {reason}")]
pub(crate) struct CannotJudge {
    /// The index of the event.
    pub(crate) index: usize,
    /// The name of the event.
    pub(crate) event: String,
    pub(crate) filter: String,
    pub(crate) reason: String,
    pub(crate) hint: Option<&'static str>,
}

//! The outcome of one try to store a batch.

use crate::mongo::fault::MongoFault;

/// A try that has stored its batch.
#[derive(Debug, Clone, Copy)]
pub(super) struct Committed {
    /// Another committer has asked this one to skip a turn.
    pub(super) must_yield: bool,
}

/// The reason why a try has not stored its batch, or why its outcome is unknown.
#[derive(Debug)]
pub(super) enum TryError {
    /// Nothing is stored: the head is no longer in the state that the batch was planned from.
    HeadMoved,
    /// Nothing is stored: another transaction holds a document that the batch writes.
    Conflict,
    /// Nothing is stored: the log has some of the entries already.
    AlreadyLogged,
    /// Nothing is stored: a record has changed since the batch was planned.
    Stale,
    /// Nothing is stored: a change has panicked while the batch was planned.
    PlanPanicked,
    /// Nothing is stored: the caller of a job has stopped waiting.
    Abandoned,
    /// Nothing is stored: the database failed.
    Failed(MongoFault),
    /// The outcome is unknown: all of the batch is stored, or nothing yet. It may still be stored
    /// later.
    Unknown(MongoFault),
}

impl TryError {
    /// Returns the fault for the caller of a job that failed with this error alone.
    pub(super) const fn fault_of_single_job(&self) -> MongoFault {
        match self {
            Self::PlanPanicked => MongoFault::PlanPanicked,
            _ => MongoFault::Impossible(
                "the records are never in the state that the change was planned from",
            ),
        }
    }
}

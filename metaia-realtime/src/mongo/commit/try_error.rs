//! The outcome of one try to store a batch.

use crate::mongo::fault::MongoFault;

/// A try that has stored its batch.
#[derive(Debug, Clone, Copy)]
pub(super) struct Committed {
    /// Another committer has asked to be let through first the next time.
    pub(super) must_yield: bool,
}

/// A try that has not stored its batch, or of which that is not known.
#[derive(Debug)]
pub(super) enum TryError {
    /// Nothing is stored: the head is no longer in the state that the batch was decided on.
    HeadMoved,
    /// Nothing is stored: another transaction holds a document that the batch writes.
    Conflict,
    /// Nothing is stored: the log has some of the entries already.
    AlreadyLogged,
    /// Nothing is stored: a record has changed since the batch was decided.
    Stale,
    /// Nothing is stored: the caller of a job has stopped waiting.
    Abandoned,
    /// Nothing is stored: the database failed.
    Failed(MongoFault),
    /// All of the batch is stored or nothing; it may also be stored later.
    Unknown(MongoFault),
}

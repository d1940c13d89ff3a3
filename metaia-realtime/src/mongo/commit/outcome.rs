//! What became of one try to write a batch.

use crate::mongo::fault::Fault;

/// What became of one try to write a batch.
#[derive(Debug)]
pub(in crate::mongo) enum Outcome {
    /// All of it is stored. `asked`: somebody else has waited for it to be.
    Committed { asked: bool },
    /// Nothing: the head was not where it was.
    Lost,
    /// Nothing: another transaction was faster.
    Conflict,
    /// Nothing: the log has some of the entries.
    Known,
    /// Nothing: a record was not as it was when the batch was decided.
    Stale,
    /// Nothing: somebody gave up waiting.
    GivenUp,
    /// Nothing.
    Failed(Fault),
    /// All of it, or nothing; it may come to be later.
    Unknown(Fault),
}

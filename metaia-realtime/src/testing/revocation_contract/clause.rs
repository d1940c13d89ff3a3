//! The clauses of the contract, and the check of each.

use super::{checks, pages, shared, story, subject::Subject};
use crate::testing::contract::clauses;

clauses! {
    /// A clause of the contract of [`RevocationStore`](crate::revocation::RevocationStore).
    enum Clause for Subject;

    /// `changed_since` without a cursor returns each record that was put, of any content.
    Stored => checks::stored,
    /// The record with the greatest bound stands, and `put` returns it.
    Monotone => checks::monotone,
    /// Each key has a record of its own, however alike two keys are.
    Apart => checks::apart,
    /// To put a record that stands again changes nothing.
    Repeated => checks::repeated,
    /// The record of a token that has ended is gone after the next `put`, and only that one.
    Ended => checks::ended,
    /// `changed_since` with a cursor returns what was put after that.
    Changed => checks::changed,
    /// A pass by pages of any size returns each record once, whatever their times are.
    Paged => pages::paged,
    /// A reader misses no record that is put between two pages.
    PutBetweenPages => pages::put_between_pages,
    /// A reader misses no record, also of several that are put at the same time.
    AtOnce => checks::at_once,
    /// A durable store has all records when it is opened again.
    Reopened => checks::reopened,
    /// After random operations, the records are those of a plain model.
    Modelled => story::modelled,
    /// In a shared store, each node sees what another one has put.
    Shared => shared::shared,
}

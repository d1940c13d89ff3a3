//! The clauses of the contract, and the check of each.

use super::{checks, subject::Subject};
use crate::testing::contract::clauses;

clauses! {
    /// A clause of the contract of [`DeviceStore`](crate::device::DeviceStore).
    enum Clause for Subject;

    /// `load` returns the record of the last `save`, of any content, and `None` if there was none.
    Saved => checks::saved,
    /// A record replaces the former one of its key, also within one `save`.
    Replaced => checks::replaced,
    /// Each key has a record of its own, however alike two keys are.
    Apart => checks::apart,
    /// A record that is older than a day is gone, and only that one.
    Expired => checks::expired,
    /// Of one user the newest records are kept, up to a limit, and the records of others are not
    /// affected.
    Bounded => checks::bounded,
    /// A `save` is all or nothing, also among concurrent ones.
    AtOnce => checks::at_once,
    /// A durable store has all records when it is opened again.
    Reopened => checks::reopened,
}

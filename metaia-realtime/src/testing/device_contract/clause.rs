//! The clauses of the contract, and the check of each.

use super::{checks, shared, subject::Subject};
use crate::testing::contract::clauses;

clauses! {
    /// A clause of the contract of [`DeviceStore`](crate::device::DeviceStore).
    enum Clause for Subject;

    /// `claim` returns the record of the last `save`, of any content, and none if there was none.
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
    /// A record that was saved with `leave` is claimed like any other.
    Left => checks::left,
    /// A node that knows a client is not given the record that it saved itself.
    Known => checks::known,
    /// A durable store has all records when it is opened again.
    Reopened => checks::reopened,
    /// In a shared store, a node that saves a record hides no record of another node.
    Apiece => shared::apiece,
    /// In a shared store, a record that a node left goes to a claimant once, and stays stored until
    /// the claimant has saved the key.
    TakenOver => shared::taken_over,
    /// In a shared store, a record that a node left is not for a claimant to which its client had
    /// come before.
    Moved => shared::moved,
}

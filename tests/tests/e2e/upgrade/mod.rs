//! Upgrades: data of an earlier version open with all records and positions, and nodes of both
//! versions run side by side during a rolling restart.

mod revocations;
mod side_by_side;
mod stored;

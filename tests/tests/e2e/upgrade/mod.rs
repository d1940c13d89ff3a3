//! Upgrades: data of an earlier version open with all records and positions.

mod stored;

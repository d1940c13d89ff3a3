//! The contracts of the log in SQLite, and the counts of a node.

#[cfg(feature = "sqlite")]
mod contract;
mod stats;

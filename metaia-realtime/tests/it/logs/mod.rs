//! The contracts of the log in SQLite, and the counts and durations of a node.

#[cfg(feature = "sqlite")]
mod contract;
mod latencies;
mod stats;

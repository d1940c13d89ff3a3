//! The contracts of logs, and what a node counts.

#[cfg(feature = "sqlite")]
mod contract;
mod stats;

//! A clause that was not kept.

use std::fmt::Debug;

/// A clause that is not kept, and what came instead of what it promises.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{clause} is not kept: {promise}\n  {came}")]
#[non_exhaustive]
pub struct Broken {
    /// The clause's name.
    pub clause: String,
    /// What it promises.
    pub promise: &'static str,
    /// What came.
    pub came: String,
}

impl Broken {
    pub(in crate::testing) fn new(clause: impl Debug, promise: &'static str, came: String) -> Self {
        Self {
            clause: format!("{clause:?}"),
            promise,
            came,
        }
    }
}

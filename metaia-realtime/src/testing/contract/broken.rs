//! The report of a broken clause.

use std::fmt::Debug;

/// A clause that the subject breaks, with its promise and the observation that contradicts it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{clause} is not kept: {promise}\n  {came}")]
#[non_exhaustive]
pub struct Broken {
    /// The clause's name.
    pub clause: String,
    /// The promise, as a sentence.
    pub promise: &'static str,
    /// The observation that contradicts the promise.
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

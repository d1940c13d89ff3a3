//! The versions that a caller accepts as the current one.

use serde::Serialize;

/// The condition of a change on the version of its record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub enum Precondition {
    /// The record may have any version.
    None,
    /// The record has one of these versions. Without any, the condition never holds.
    AnyOf(Vec<u64>),
}

impl Precondition {
    /// Returns whether the condition holds for a record of this version.
    #[must_use]
    pub fn holds_for(&self, version: u64) -> bool {
        match self {
            Self::None => true,
            Self::AnyOf(versions) => versions.contains(&version),
        }
    }
}

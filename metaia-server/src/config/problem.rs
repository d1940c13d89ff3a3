//! The error of one setting.

/// A setting that is not valid, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ConfigProblem {
    pub(crate) name: String,
    /// The rest of a sentence that begins with the value or the name.
    pub(crate) reason: String,
}

impl ConfigProblem {
    pub(super) fn new(name: impl Into<String>, reason: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            reason: reason.into(),
        }
    }
}

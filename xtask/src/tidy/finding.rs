//! A place in the source that breaks a rule.

/// A place in one file, and what is wrong there.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Finding {
    /// The line, from 1.
    pub(super) line: usize,
    pub(super) what: String,
}

impl Finding {
    pub(super) fn new(line: usize, what: impl Into<String>) -> Self {
        Self {
            line,
            what: what.into(),
        }
    }
}

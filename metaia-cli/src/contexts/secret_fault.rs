//! The reason why a secret cannot be read.

use crate::exit::Exit;

/// The largest secret.
pub(super) const MAX_BYTES: u64 = 64 * 1024;

/// The reason why a secret cannot be read, and advice.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct SecretFault {
    pub(super) reason: String,
    pub(super) hint: String,
    pub(super) exit: Exit,
}

impl SecretFault {
    pub(super) fn new(reason: impl Into<String>, hint: impl Into<String>) -> Self {
        Self {
            reason: reason.into(),
            hint: hint.into(),
            exit: Exit::Usage,
        }
    }

    /// Returns the same reason for a command that Ctrl-C has ended.
    pub(super) fn interrupted(self) -> Self {
        Self {
            exit: Exit::Interrupted,
            ..self
        }
    }
}

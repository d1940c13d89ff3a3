//! The head of a log, as nodes tell it to each other.

use crate::{Position, values::Epoch};

/// The head of a log: the place after entry `n` of an epoch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct LogHead {
    pub(crate) epoch: Epoch,
    pub(crate) n: u64,
}

impl LogHead {
    /// Returns whether a node that knows the log up to `known` lacks entries before this head.
    /// Another epoch cannot be compared and counts as beyond: it may be the newer one.
    pub(crate) fn is_beyond(self, known: Self) -> bool {
        self.epoch != known.epoch || self.n > known.n
    }
}

impl From<Position> for LogHead {
    fn from(position: Position) -> Self {
        Self {
            epoch: position.epoch(),
            n: position.n(),
        }
    }
}

//! How far a log goes, as nodes tell each other.

use crate::{Position, values::Epoch};

/// After entry `n` of an epoch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct LogHead {
    pub(crate) epoch: Epoch,
    pub(crate) n: u64,
}

impl LogHead {
    /// Whether who knows the log up to `known` lacks something of it. Another epoch cannot be
    /// compared: it may be the newer one.
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

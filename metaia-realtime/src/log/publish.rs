//! What a publisher is told: where its event is in the log, or why it is not there.

use super::LogError;
use crate::{
    event::EventError,
    values::{EventId, Position},
};

/// What became of a publish: it is in the log, as durable as the log is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PublishReceipt {
    /// The event's own id, in `_rt.id`.
    pub id: EventId,
    /// Where it stands in the log, in `_rt.at`.
    pub position: Position,
}

/// Why an emit failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PublishError {
    /// The event cannot be sent as it is. Nothing was stored.
    #[error("the event cannot be sent")]
    Event(#[from] EventError),
    /// The log did not take it. Whether it may have been stored is said by [`LogError`].
    #[error("the event was not confirmed by the log")]
    Log(#[from] LogError),
}

impl PublishError {
    /// Whether the event may have been stored all the same.
    #[must_use]
    pub const fn may_be_stored(&self) -> bool {
        matches!(self, Self::Log(LogError::Unknown(_)))
    }
}

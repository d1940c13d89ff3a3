//! The result of a publish: the place of the event in the log, or the reason why it is not there.

use super::LogError;
use crate::{
    event::EventError,
    values::{EventId, Position},
};

/// Receipt of a published event: the event is in the log, as durable as the log is. It does not say
/// that a client has received the event, or will.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PublishReceipt {
    /// The event's id, which clients receive as `_rt.id`.
    pub id: EventId,
    /// The event's position in the log, which clients receive as `_rt.at`.
    pub position: Position,
}

/// Reason why a publish failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PublishError {
    /// The event cannot be sent as it is. Nothing was stored.
    #[error("the event cannot be sent")]
    Event(#[from] EventError),
    /// The log did not confirm the event. [`LogError`] says whether it may have been stored.
    #[error("the event was not confirmed by the log")]
    Log(#[from] LogError),
}

impl PublishError {
    /// Returns whether the event may have been stored although the publish failed.
    #[must_use]
    pub const fn may_be_stored(&self) -> bool {
        matches!(self, Self::Log(LogError::Unknown(_)))
    }
}

//! The reasons why a [`Realtime`](crate::Realtime) cannot be built.

use crate::{limits::InvalidLimit, transport::InvalidOrigin};

/// The reason why a [`Realtime`](crate::Realtime) could not be built.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BuildError {
    /// [`RealtimeBuilder::authenticator`](crate::RealtimeBuilder::authenticator) was not called.
    #[error("no authenticator was given")]
    NoAuthenticator,
    /// An event of this name cannot have a handler: see
    /// [`RealtimeBuilder::on`](crate::RealtimeBuilder::on).
    #[error("the event {name:?} cannot have a handler")]
    Handler {
        /// The name that was given.
        name: &'static str,
        /// The reason why it was refused.
        #[source]
        why: HandlerNameError,
    },
    /// A limit is out of its range.
    #[error(transparent)]
    Limit(#[from] InvalidLimit),
    /// A text given to
    /// [`RealtimeBuilder::allowed_origins`](crate::RealtimeBuilder::allowed_origins) is not an
    /// origin.
    #[error(transparent)]
    Origin(#[from] InvalidOrigin),
}

/// The reason why an event of some name cannot have a handler.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum HandlerNameError {
    /// The name has not the shape of an [`EventName`](crate::event::EventName).
    #[error("an event name is 1 to 64 of A-Z a-z 0-9 _ : . -")]
    Invalid,
    /// The session answers events of this name itself (`join_order_room`, `leave_order_room`,
    /// `rt:…`), or Socket.IO clients raise them themselves (`connect`, `disconnect`, …).
    #[error("the name is reserved: events of this name never reach a handler")]
    Reserved,
    /// The name was given to [`RealtimeBuilder::on`](crate::RealtimeBuilder::on) twice.
    #[error("the name has a handler already")]
    Repeated,
}

//! The interface of a session to the handlers of an embedder's own events.

use std::borrow::Cow;

use futures_util::future::BoxFuture;
use serde_json::value::RawValue;

use super::Session;

/// The result of a handler: the answer, or the code that the event is refused with.
pub(crate) type Handled = Result<Box<RawValue>, Cow<'static, str>>;

/// The handlers of a node, by event name.
pub(crate) trait EventHandlers: Send + Sync {
    /// Returns whether the event `name` has a handler.
    fn has(&self, name: &str) -> bool;

    /// Begins to handle the event `name` of a session with its first argument. Returns `None` if
    /// the event has no handler.
    fn handle(
        &self,
        session: &Session,
        name: &str,
        argument: &RawValue,
    ) -> Option<BoxFuture<'static, Handled>>;
}

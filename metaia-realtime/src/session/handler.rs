//! What a session asks of the handlers of events that are an embedder's own.

use std::borrow::Cow;

use futures_util::future::BoxFuture;
use serde_json::value::RawValue;

use super::Session;

/// What became of an event: the answer, or the code that it is refused with.
pub(crate) type Handled = Result<Box<RawValue>, Cow<'static, str>>;

/// The handlers of a node, by event name.
pub(crate) trait EventHandlers: Send + Sync {
    /// Begins to handle the event `name` of a session with its first argument; `None` if it has no
    /// handler.
    fn handle(
        &self,
        session: &Session,
        name: &str,
        argument: &RawValue,
    ) -> Option<BoxFuture<'static, Handled>>;
}

//! Inbound events, queued before the engine spawns a task for each: in order, and within the rate.

use std::convert::Infallible;

use socketioxide::{adapter::LocalAdapter, handler::FromMessageParts};
use socketioxide_core::Value;

use super::{attachment::Attached, socket::IoSocket};
use crate::session::Inbound;

/// An extractor that queues the event. The engine runs extractors in its reader, synchronously and
/// in order; handlers run in tasks of their own.
pub(super) struct QueuedEvent;

impl FromMessageParts<LocalAdapter> for QueuedEvent {
    type Error = Infallible;

    fn from_message_parts(
        socket: &IoSocket,
        value: &mut Value,
        ack: &Option<i64>,
    ) -> Result<Self, Infallible> {
        if let Some(Attached(attachment)) = socket.extensions.get::<Attached>() {
            let json = match value {
                Value::Str(json, _) => json.to_string(),
                Value::Bytes(_) => String::new(),
            };
            let event = Inbound { json, ack: *ack };
            attachment.slot.offer(event);
        }
        Ok(Self)
    }
}

/// The handler of every event. It does nothing, since its extractor has queued the event.
pub(super) async fn receive(_: QueuedEvent) {}

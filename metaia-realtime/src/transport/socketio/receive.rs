//! Inbound events, taken before the transport spawns a task for each: in order, and within the
//! rate.

use std::convert::Infallible;

use socketioxide::{adapter::LocalAdapter, handler::FromMessageParts};
use socketioxide_core::Value;

use super::connect::{Attached, IoSocket};
use crate::session::Inbound;

/// Proof that the event has been taken. The extraction runs in the reader, synchronously and in
/// order.
pub(super) struct Taken;

impl FromMessageParts<LocalAdapter> for Taken {
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
            attachment
                .inbound
                .offer(&attachment.session, Inbound { json, ack: *ack });
        }
        Ok(Self)
    }
}

/// The handler of every event: it has been queued already.
pub(super) async fn receive(_: Taken) {}

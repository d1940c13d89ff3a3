//! The actions of connected roles: commands of which every part is known.

use metaia_realtime::OrderId;
use serde_json::Value;

use super::command::{Command, EmitPayload};
use super::rooms::Rooms;
use crate::context::Context;
use crate::exit::Failure;
use crate::order_ref::OrderRef;
use crate::payload_args;

/// The events that change the rooms of a session, and nothing that others see. A server may do
/// anything at any other.
const OF_ROOMS: [&str; 2] = ["join_order_room", "leave_order_room"];

/// A command that can be carried out: its payload is complete, and its order has an id.
#[derive(Debug)]
pub(super) enum Action {
    Join(OrderId),
    Leave(OrderId),
    Emit(String, Value),
    Drop,
}

impl Action {
    /// Reads the payload of an event and looks up the number of an order. Returns `None` for a
    /// command that no role carries out.
    pub(super) async fn prepare(
        command: Command,
        rooms: &[Rooms],
        context: &Context,
    ) -> Result<Option<Self>, Failure> {
        Ok(Some(match command {
            Command::Join(order) => Self::Join(order.resolve(context).await?),
            Command::Leave(order) => Self::Leave(order_to_leave(&order, rooms, context).await?),
            Command::Emit(event, payload) => {
                if !OF_ROOMS.contains(&event.as_str()) {
                    context.permit_write(&format!("/emit {event}"))?;
                }
                Self::Emit(event, read_payload(payload)?)
            }
            Command::Drop => Self::Drop,
            Command::Nothing | Command::Wait(_) | Command::Help | Command::Quit => return Ok(None),
        }))
    }
}

/// Returns the order whose room is to be left. The server accepts to leave any room, so an order
/// that is in the rooms of no role must exist.
async fn order_to_leave(
    order: &OrderRef,
    rooms: &[Rooms],
    context: &Context,
) -> Result<OrderId, Failure> {
    let id = order.resolve(context).await?;
    if rooms.iter().any(|rooms| rooms.contain_order(&id)) {
        Ok(id)
    } else {
        order.resolve_existing(context).await
    }
}

fn read_payload(payload: EmitPayload) -> Result<Value, Failure> {
    match payload {
        EmitPayload::Word(word) => Ok(Value::from(word)),
        EmitPayload::Json(value) => Ok(value),
        EmitPayload::Args(args) => payload_args::payload(&args),
    }
}

//! Validated values: ids, roles, rooms, positions in the log, and the time; enums with codes.
//!
//! Nothing here does I/O or imports another module of the crate. Each value has one entrance, which
//! validates it.

mod after;
mod code;
mod id;
mod json_number;
mod moment;
mod number;
mod position;
mod role;
mod room;
pub(crate) mod time;

pub(crate) use after::after;
pub(crate) use code::{Code, codes};
pub use id::{DeviceId, EventId, InvalidId, InvalidUuid, NodeId, OrderId, SessionId, UserId};
pub use json_number::JsonNumber;
pub(crate) use moment::{Moment, SharedMoment};
pub(crate) use number::at_least_one;
pub use position::{Epoch, InvalidPosition, Position};
pub use role::{Role, UnknownRole};
pub use room::{Room, UnknownRoom};

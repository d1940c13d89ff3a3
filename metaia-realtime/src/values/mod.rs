//! Validated values: ids, roles, rooms, positions in the log, and the time.
//!
//! Nothing here does I/O or knows another module of the crate. Each value has one entrance that
//! validates it.

mod id;
mod position;
mod role;
mod room;
pub(crate) mod time;

pub use id::{DeviceId, EventId, InvalidEventId, InvalidId, NodeId, OrderId, SessionId, UserId};
pub use position::{Epoch, InvalidPosition, Position};
pub use role::{Role, UnknownRole};
pub use room::{Room, UnknownRoom};

//! Durable, resumable, access-controlled realtime delivery for unmodified Socket.IO clients.

pub mod access;
pub mod auth;
mod builder;
#[cfg(feature = "client")]
pub mod client;
mod clock;
mod emit;
pub mod event;
mod id;
mod limits;
pub mod log;
mod position;
mod realtime;
mod role;
mod room;
#[cfg(feature = "sqlite")]
pub mod sqlite;

pub use access::{Access, AccessError, OrderAccess};
pub use auth::{AuthError, Authenticator, Credentials, Identity, InvalidSecret, JwtAuthenticator};
pub use builder::{BuildError, Builder, Transports};
pub use emit::{EmitError, Receipt};
pub use event::{Event, EventError, EventName, IntoEvent, Payload};
pub use id::{DeviceId, EventId, InvalidEventId, InvalidId, OrderId, SessionId, UserId};
pub use limits::{InvalidLimit, Limits};
pub use log::{EventLog, MemoryLog, NewEntry};
pub use position::{Epoch, InvalidPosition, Position};
pub use realtime::Realtime;
pub use role::{Role, UnknownRole};
pub use room::{Room, UnknownRoom};

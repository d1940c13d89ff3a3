//! Durable, resumable, access-controlled realtime delivery for unmodified Socket.IO clients.

pub mod access;
pub mod auth;
mod builder;
#[cfg(feature = "client")]
pub mod client;
mod clock;
mod dispatch;
mod emit;
pub mod event;
mod handlers;
mod id;
mod layer;
mod limits;
pub mod log;
mod node;
mod position;
mod realtime;
mod registry;
mod role;
mod room;
#[cfg(feature = "axum")]
mod serve;
mod session;
#[cfg(feature = "sqlite")]
pub mod sqlite;
mod transport;
mod window;

pub use access::{Access, AccessError, OrderAccess};
pub use auth::{AuthError, Authenticator, Credentials, Identity, InvalidSecret, JwtAuthenticator};
pub use builder::{BuildError, Builder, Transports};
pub use emit::{EmitError, Receipt};
pub use event::{Event, EventError, EventName, IntoEvent, Payload};
pub use handlers::{HandlerError, Received};
pub use id::{DeviceId, EventId, InvalidEventId, InvalidId, OrderId, SessionId, UserId};
pub use layer::{RealtimeLayer, RealtimeService};
pub use limits::{InvalidLimit, Limits};
pub use log::{EventLog, MemoryLog, NewEntry};
pub use position::{Epoch, InvalidPosition, Position};
pub use realtime::{Realtime, SessionView, Volatile};
pub use role::{Role, UnknownRole};
pub use room::{Room, UnknownRoom};
#[cfg(feature = "axum")]
pub use serve::{GuardedListener, GuardedStream, Peer, serve};
pub use session::End;

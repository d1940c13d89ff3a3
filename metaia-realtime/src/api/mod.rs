//! What an embedder holds: the handle and its builder, publishing, handlers, presence, and serving.

mod builder;
mod handlers;
mod presence;
mod publish;
mod realtime;
pub mod serve;
mod volatile;

pub use builder::{BuildError, RealtimeBuilder};
pub use handlers::{EventContext, HandlerError};
#[doc(hidden)]
pub use realtime::Census;
pub use realtime::Realtime;
pub use volatile::VolatileSender;

//! The types that an embedder holds: the handle and its builder, publishing, handlers, presence,
//! and serving.

mod builder;
mod error;
pub mod handlers;
mod marketplace;
mod presence;
pub mod publish;
mod realtime;
mod revocation;
pub mod serve;
mod stats;
mod volatile;

pub use builder::RealtimeBuilder;
pub use error::BuildError;
pub use handlers::{EventContext, HandlerError};
pub use realtime::Realtime;
#[doc(hidden)]
pub use stats::Census;

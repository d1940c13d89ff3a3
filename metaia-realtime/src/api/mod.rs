//! What an embedder holds: the handle and its builder, publishing, handlers, presence, and serving.

mod builder;
mod handlers;
mod presence;
mod publish;
mod realtime;
pub(crate) mod serve;
mod volatile;

pub use builder::{BuildError, Builder};
pub use handlers::{HandlerError, Received};
pub use publish::{EmitError, Receipt};
#[doc(hidden)]
pub use realtime::Census;
pub use realtime::Realtime;
pub use volatile::Volatile;

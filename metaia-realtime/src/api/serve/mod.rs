//! Serving an axum router and Socket.IO on one listener.

#[cfg(feature = "axum")]
mod listener;
#[cfg(feature = "axum")]
mod run;

#[cfg(feature = "axum")]
pub use listener::{GuardedListener, GuardedStream};
#[cfg(feature = "axum")]
pub use run::{Serve, serve};

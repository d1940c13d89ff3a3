//! Two ways to mount a [`Realtime`](crate::Realtime) on a listener: [`serve`](fn@crate::serve), or
//! a tower layer for your own server.

#[cfg(feature = "axum")]
mod listener;
#[cfg(feature = "axum")]
mod run;

#[cfg(feature = "axum")]
pub use listener::{GuardedListener, GuardedStream};
#[cfg(feature = "axum")]
pub use run::{Serve, serve};

#[cfg(feature = "axum")]
pub use crate::transport::guard::PeerAddr;
pub use crate::transport::{RealtimeLayer, RealtimeService, Transports};

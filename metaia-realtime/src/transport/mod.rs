//! How frames reach clients: implementations of the session core's [`Port`](crate::session::Port).

pub(crate) mod deadline;
pub(crate) mod guard;
#[cfg(feature = "axum")]
pub(crate) mod http;
pub(crate) mod socketio;

pub use socketio::{RealtimeLayer, RealtimeService};

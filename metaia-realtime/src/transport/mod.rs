//! How frames reach clients: implementations of the session core's [`Port`](crate::session::Port).

pub(crate) mod deadline;
pub(crate) mod guard;
pub(crate) mod socketio;

pub use socketio::{RealtimeLayer, RealtimeService};

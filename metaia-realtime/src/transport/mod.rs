//! Delivery of packets to clients: implementations of the session core's
//! [`Port`](crate::session::Port).

pub(crate) mod deadline;
pub(crate) mod guard;
#[cfg(feature = "axum")]
pub(crate) mod http;
mod origin;
mod settings;
pub(crate) mod socketio;

pub(crate) use origin::own_origin;
pub use origin::{InvalidOrigin, InvalidProxy, TrustedProxy, WebOrigin};
pub use settings::Transports;
pub(crate) use settings::{Origins, Settings};
pub use socketio::{RealtimeLayer, RealtimeService};

//! Delivery of packets to clients: implementations of the session core's
//! [`Port`](crate::session::Port).

pub(crate) mod deadline;
pub(crate) mod guard;
#[cfg(feature = "axum")]
pub(crate) mod http;
mod origin;
mod settings;
pub(crate) mod socketio;

pub use origin::{
    InvalidOrigin, InvalidProxy, TrustedProxy, WebOrigin, complete_headers, cors_layer,
};
pub(crate) use origin::{is_listed, own_origin};
pub use settings::Transports;
pub(crate) use settings::{Origins, Settings};
pub use socketio::{RealtimeLayer, RealtimeService};

//! The transport over socketioxide: polling, WebSocket, and the upgrade from polling to WebSocket.
//!
//! The session's one task writes everything that goes to its client, acks included, so that the
//! session decides the order. The engine queues 1,024 packets for a connection, which is more than
//! the credit window and the packets beside it. If the queue is full nevertheless, the session
//! ends, since the event that does not fit would be lost.

mod attachment;
mod body;
mod connect;
mod credentials;
mod engine;
mod engine_service;
mod gate;
mod link;
mod links;
mod port;
mod post;
mod query;
mod read_budget;
mod receive;
mod refusal;
mod request;
mod response_body;
mod service;
mod socket;
mod start;
#[cfg(all(test, feature = "testing"))]
mod tests;

pub(crate) use engine::Engine;
#[cfg(feature = "axum")]
pub(crate) use refusal::too_many_connections;
pub use service::{RealtimeLayer, RealtimeService};
pub(crate) use start::start;

//! The transport of Socket.IO. [`direct`] serves WebSockets; socketioxide serves the clients that
//! poll, until they [`upgrade`] to one.
//!
//! Over socketioxide, the session's one task writes everything that goes to its client, acks
//! included, so that the session decides the order. The engine queues 1,024 packets for a client,
//! which is more than the packets that a poll may fetch. If the queue is full nevertheless, the
//! session ends, since the event that does not fit would be lost.

// The engine, and how it is started.
mod engine;
mod engine_service;
mod start;

// Before the engine: the tower layer, its checks, and what a request is for.
mod cors;
mod engine_error;
mod gate;
mod handshake;
mod origins;
mod query;
mod refusal;
mod request;
mod service;

// The requests of clients that poll, on their way to the engine.
mod body;
mod membership;
mod polling;
mod post;
mod response_body;
mod scan;

// From the engine to a WebSocket.
mod upgrade;
mod upgrade_state;

// WebSockets, without the engine.
mod description;
mod direct;
mod sid;
mod websocket;

// For both.
mod inbound_packet;
mod joined_session;
mod read_budget;
mod write_counts;

// In the engine: CONNECT, the session that it attaches, and inbound events.
mod attachment;
mod connect;
mod credentials;
mod receive;
mod session_slot;
mod socket;

// Beside the engine: the state of one client that polls, and the port of its session.
mod entry_times;
mod link;
mod links;
mod port;
mod port_switch;

// Tests.
#[cfg(test)]
mod fuzz;
#[cfg(all(test, feature = "testing"))]
mod tests;

pub(crate) use engine::Engine;
#[cfg(feature = "axum")]
pub(crate) use refusal::too_many_connections;
pub use service::{RealtimeLayer, RealtimeService};
pub(crate) use start::start;

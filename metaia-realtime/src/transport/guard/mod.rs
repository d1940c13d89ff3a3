//! The wrapper around each TCP connection: a watch on what it reads and writes. A WebSocket of the
//! transport takes the socket out of it, and keeps these rules itself.
//!
//! At the edges:
//!
//! - If the peer takes nothing for too long, the write fails, and the link whose poll is being
//!   answered is ended as too slow.
//! - If a request does not come in time, reading returns the end of the stream. HTTP then closes
//!   the connection, as if the peer had.
//! - If a connection ends before the answer to a poll was written, its link is lost: no other copy
//!   of the packets in that answer exists, so that the client must reconnect and resume.

// A connection, its stream, and who is told what passes.
mod connection;
mod io;
mod observer;
#[cfg(feature = "axum")]
mod peer;
#[cfg(feature = "axum")]
mod stream;

// The answer to a poll that is being written.
mod poll_answer;

// Limits: a writer that is stuck, a reader that must wait, a request that does not come.
#[cfg_attr(
    not(feature = "axum"),
    allow(dead_code, reason = "used by serve alone")
)]
mod head;
#[cfg_attr(
    not(feature = "axum"),
    allow(dead_code, reason = "used by serve alone")
)]
mod idle;
mod read_pause;
mod request_timer;
#[cfg_attr(
    not(feature = "axum"),
    allow(dead_code, reason = "used by serve alone")
)]
mod requests;
mod watch;
mod write_stall;

pub(crate) use connection::Connection;
#[cfg(feature = "axum")]
pub(crate) use idle::IdleConnections;
#[cfg_attr(
    not(feature = "axum"),
    allow(unused_imports, reason = "mounted by serve and GuardedListener alone")
)]
pub(crate) use io::GuardedIo;
pub(crate) use observer::Observer;
#[cfg(feature = "axum")]
pub use peer::PeerAddr;
pub(crate) use read_pause::ReadPause;
#[cfg(feature = "axum")]
pub(crate) use requests::RequestTimeouts;
#[cfg(feature = "axum")]
pub use stream::GuardedStream;

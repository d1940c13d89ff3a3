//! The wrapper around each TCP connection: a kill switch, and a watch on writes.
//!
//! A transport that awaits a write to a peer that does not read can be ended only from below:
//! [`Connection::kill`] fails the next read and write at once.
//!
//! At the edges:
//!
//! - If the peer takes nothing for too long, its link is ended as too slow and the connection is
//!   killed.
//! - If a connection ends before the answer to a poll was written, its link is lost: no other copy
//!   of the packets in that answer exists, so that the client must reconnect and resume.

// A connection, its stream, and who is told what passes.
mod connection;
mod io;
mod observer;
#[cfg(feature = "axum")]
mod peer;

// The answer to a poll that is being written.
mod poll_answer;

// Limits: a writer that is stuck, a reader that must wait.
mod read_pause;
mod write_stall;

pub(crate) use connection::{Connection, WeakConnection};
#[cfg_attr(
    not(feature = "axum"),
    allow(unused_imports, reason = "mounted by serve and GuardedListener alone")
)]
pub(crate) use io::GuardedIo;
pub(crate) use observer::Observer;
#[cfg(feature = "axum")]
pub use peer::PeerAddr;

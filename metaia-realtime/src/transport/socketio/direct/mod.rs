//! WebSockets: Engine.IO and Socket.IO without the engine. A client either begins as one, or has
//! polled before and [moves](moved) here.
//!
//! One task serves a connection. While its session is quiet, that is all there is beside the
//! session: no buffer, no channel, no other task. The dispatcher writes events to the socket by
//! itself, all that is queued in one system call, and wakes no task for that. A stream that only
//! its task can write, such as one of an embedder's TLS, is written by the task instead.
//!
//! At the edges:
//!
//! - A socket that takes no more keeps at most 32 packets queued here; the rest waits in the
//!   session, within its credit window. If it takes nothing for 15 s (`Limits::write_stall`), the
//!   session ends as too slow. Reading pauses some way behind writing, and while 64 KiB of answers
//!   wait. Of several pings of WebSocket itself only the last one is answered.
//! - What a client sends while its CONNECT is being answered waits, at most as many bytes as one
//!   message may have. After that nothing more is read.
//! - A frame or a packet that a client must not send closes the connection, with a close frame that
//!   has the code of RFC 6455. The socket closes then, though a handler of its session goes on.

mod connection;
mod conversation;
mod frames;
#[cfg(test)]
mod fuzz;
mod heartbeat;
mod joining;
mod line;
mod moved;
mod namespace;
mod open;
mod packet;
mod port;
mod waiting;
mod writer;

pub(super) use moved::{MovedClient, MovedState};
pub(super) use namespace::Place;
pub(super) use open::open;

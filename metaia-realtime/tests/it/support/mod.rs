//! Shared by all tests: short forms of common calls, raw sockets, a polling client, clients
//! over any transport, a policy that a test controls, fences, and the log lines of a test.

mod anyone;
pub(crate) mod captured_log;
#[cfg(target_os = "linux")]
pub(crate) mod descriptor;
pub(crate) mod fences;
pub(crate) mod policy;
pub(crate) mod poller;
pub(crate) mod raw_client;
pub(crate) mod raw_frames;
pub(crate) mod raw_socket;
mod short_forms;
mod text_tokens;
mod transports;
mod updates;

pub(crate) use anyone::Anyone;
pub(crate) use short_forms::{SOON, limits, number, order, tick, user};
pub(crate) use text_tokens::{TextTokens, text_token};
pub(crate) use transports::{
    TRANSPORTS, connect, on_each_transport, on_each_websocket, over_transport,
};
pub(crate) use updates::{disconnected, event, next, ready, reconnected, reset, ticks};

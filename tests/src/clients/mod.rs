//! Clients of every kind:
//!
//! - [`phone`]: a hand-written Socket.IO client, which can also send malformed packets.
//! - [`driver`]: the official JavaScript and Python clients.
//! - [`crowd`]: a thousand phones that only count.
//! - [`polling`]: Engine.IO over long polling.
//! - [`frames`], [`http_response`]: WebSocket and HTTP by hand, for thousands of connections.
//! - [`browser`]: a real Chromium.
//! - [`cli`]: the `metaia` binary.
//! - [`terminal`]: a program on a pseudo-terminal.
//!
//! [`way`] says by which transport a phone connects.

pub mod browser;
pub mod cli;
pub mod crowd;
pub mod driver;
pub mod frames;
pub mod http_response;
pub mod phone;
pub mod polling;
pub mod terminal;
pub mod way;

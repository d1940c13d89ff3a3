//! The protocol of WebSocket: the opening handshake, and the frames. Pure kernels.

mod frame;
#[cfg(test)]
mod fuzz;
mod handshake;

pub(super) use frame::{BadFrame, FrameReader, Message, server_control, server_text};
pub(super) use handshake::{BadHandshake, answer};

//! WebSockets: this module takes them from HTTP, and gives them to the engine as streams.
//!
//! The engine sees a WebSocket that begins a session at once. It sees the upgrade of a polling
//! session only when the client has switched to it, since an upgrade that fails before must leave
//! the session as it was ([`upgrade`]). In both cases it reads the client's packets as
//! [`stream`] has rewritten them.

mod ending;
mod frame;
mod handshake;
mod open;
mod stream;
mod upgrade;
mod waiting;

pub(super) use frame::{BadFrame, FrameReader, Message, server_control, server_text};
pub(super) use handshake::{BadHandshake, answer};
pub(super) use open::WebSocketRequest;

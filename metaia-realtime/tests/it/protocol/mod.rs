//! Engine.IO and Socket.IO on the wire: what unusual clients, and proxies between, send.

mod events;
mod handshake;
mod namespace;
mod polling;
mod upgrade;

//! Engine.IO and Socket.IO on the wire: what unusual clients, and proxies between, send.

mod events;
mod frames;
mod handshake;
mod leaving;
mod moving;
mod namespace;
mod own_stream;
mod polling;
mod upgrade;
mod upgrade_stress;

//! Clients of every kind: a phone, the official clients, a crowd, and raw sockets.

pub mod cli;
pub mod crowd;
pub mod driver;
pub mod phone;
pub mod polling;
pub mod raw_socket;

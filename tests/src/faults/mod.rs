//! What goes wrong around a server: networks, proxies, databases, the kernel's buffers.

pub mod cluster;
pub mod kernel;
pub mod network;
pub mod nginx;

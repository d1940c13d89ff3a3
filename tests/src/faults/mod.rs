//! Faults around a server, and the services that can fail:
//!
//! - [`cluster`]: MongoDB, Redis, several servers, a balancer, and a network between them.
//! - [`forwarder`]: a TCP forwarder that breaks, freezes or slows down connections.
//! - [`key_host`]: the host of an issuer's keys.
//! - [`middlebox`]: a proxy that WebSockets do not get through.
//! - [`misconfigured_nginx`]: the mistakes that are made in a proxy's configuration.
//! - [`network`]: a network namespace for one client.
//! - [`nginx`]: the proxy of `docs/deployment`.
//! - [`stub`]: servers with a fixed answer.
//! - [`kernel`]: memory, descriptors and send queues of a process.

pub mod cluster;
pub mod forwarder;
pub mod kernel;
pub mod key_host;
pub mod middlebox;
pub mod misconfigured_nginx;
pub mod network;
pub mod nginx;
pub mod stub;

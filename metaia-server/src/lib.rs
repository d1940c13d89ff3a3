//! The reference backend of METAIA realtime: orders, notifications and payments over REST, and their events over
//! Socket.IO.
//!
//! Layers: `routes → services → {store, realtime}`; only `app` sees all.

mod cli;
mod config;
pub mod error;
pub mod extract;
mod gate;
mod health;
mod middleware;
pub mod model;
pub mod payment;
pub mod policy;
pub mod routes;
mod secret_file;
pub mod secrets;
pub mod services;
pub mod state;
pub mod store;
#[cfg(test)]
mod testing;

//! The reference backend of METAIA realtime: orders, notifications and payments over REST, and their events over
//! Socket.IO.
//!
//! Layers: `routes → services → {store, realtime}`; only `app` sees all.
//!
//! - Starting: `run`, `cli`, `config`, `serve`, `app`, `ground` (the store), `data` (the folder), `announcement`, `signals`, `telemetry`;
//!   `backup` instead of it.
//! - A request passes `middleware`, is read by [`extract`], let in by the `gate`, answered by [`routes`] or with an
//!   [`error`]; `metrics` counts it.
//! - What it does is in [`services`], on the records of [`model`] in the [`store`], with a [`payment`] provider.

mod announcement;
mod app;
mod backup;
mod cli;
mod config;
mod data;
pub mod error;
pub mod extract;
mod gate;
mod ground;
mod health;
mod metrics;
mod middleware;
pub mod model;
mod openapi;
pub mod payment;
pub mod policy;
mod printer;
pub mod routes;
mod run;
mod secret_file;
pub mod secrets;
mod serve;
pub mod services;
mod signals;
pub mod state;
pub mod store;
mod telemetry;
#[cfg(test)]
mod testing;

pub use run::run;

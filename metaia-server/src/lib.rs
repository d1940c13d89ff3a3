//! The reference backend of METAIA realtime: orders, notifications and payments over REST, and
//! their events over Socket.IO.
//!
//! Layers: `routes → services → {store, realtime}`; only `app` sees all.
//!
//! - Starting: `run`, `cli`, `config`, `serve`, `app`, `ground` (the store), `data` (the folder),
//!   `announcement`, `signals`, `telemetry`; `backup` instead of it.
//! - A request passes `middleware`, is read by [`extract`], let in by the `gate`, answered by
//!   [`routes`] or with an [`error`]; `metrics` counts it.
//! - What it does is in [`services`], on the records of [`model`] in the [`store`], with a
//!   [`payment`] provider.

pub mod auth;
mod config;
pub mod http;
pub mod model;
pub mod payment;
mod printer;
pub mod services;
mod startup;
pub mod state;
pub mod store;
#[cfg(test)]
mod testing;

pub use startup::run;

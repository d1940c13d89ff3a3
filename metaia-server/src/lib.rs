//! The reference backend of METAIA realtime: orders, notifications and payments over REST, and
//! their events over Socket.IO.
//!
//! A module imports only from those above it in this list; `cargo xtask tidy` checks that.
//!
//! - [`model`]: records, and the rules on them. `printer`: standard output and standard error.
//!   `error_chain`: an error and its sources in one line. `line_output`: the output of the log,
//!   which nothing waits for. `line_pace`: what the log leaves out of a flood.
//! - [`store`]: the records in SQLite or MongoDB, each change together with its events.
//! - [`auth`]: secrets, the authentication of REST requests, and the access policy of order rooms.
//! - `config`: every setting. [`payment`]: the payment provider.
//! - [`services`]: the use cases.
//! - [`state`]: the state of the router.
//! - [`http`]: middleware, extractors, routes, problem documents, health and metrics.
//! - `startup`: the command line, the construction of the server, and its shutdown.

#[cfg(all(feature = "__planted-faults", not(debug_assertions)))]
compile_error!("`__planted-faults` is for test builds, which have debug assertions");

pub mod auth;
mod config;
mod error_chain;
pub mod http;
mod line_output;
mod line_pace;
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

//! Support library of the end-to-end tests: real processes on free ports, real clients, and waiting that is bounded
//! and says what it waited for.
//!
//! It depends on nothing of the project, so that the tests see exactly what a stranger's client sees. A check that
//! fails panics at the test's own line, with what came instead.
#![allow(
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stderr,
    reason = "a test support library: to fail is to panic, with the reason"
)]
#![allow(
    clippy::disallowed_methods,
    reason = "the readers of a child's pipes end with the child; tests need no tracker"
)]

pub mod chance;
pub mod checker;
pub mod cli;
pub mod cluster;
pub mod crowd;
pub mod driver;
pub mod eventually;
pub mod example;
pub mod fixtures;
pub mod folder;
pub mod journal;
pub mod kernel;
pub mod line;
pub mod load;
pub mod network;
pub mod nginx;
pub mod paths;
pub mod phone;
pub mod place;
pub mod polling;
pub mod ports;
pub mod process;
pub mod provider;
pub mod razorpay;
pub mod rest;
pub mod server;
pub mod snippets;
pub mod token;

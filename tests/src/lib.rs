//! Support library of the end-to-end tests. It starts the real programs on free ports, connects
//! real clients, and bounds every wait.
//!
//! - [`server`]: the `metaia-server` process, its REST API, its output, temporary folders, ports
//!   and hosts.
//! - [`clients`]: a hand-written phone, the official clients, a crowd, long polling and the
//!   `metaia` binary.
//! - [`fixtures`]: tokens, orders, payments, the stand-in for Razorpay, the programs of the docs
//!   and the examples.
//! - [`faults`]: a forwarder that breaks connections, network namespaces, nginx, MongoDB and Redis,
//!   figures from the kernel.
//! - [`load`]: writers and readers whose actions are recorded.
//! - [`checker`]: the function that finds broken invariants in a recorded history.
//! - [`figures`]: CPU time, medians and tables: the pure parts of the benchmarks.
//! - [`upgrade`]: data of earlier versions, and what this version must find in them.
//! - [`eventually`]: the waits.
//!
//! The library depends on no other package of the project, so that the tests see what a client of
//! another project would see. A check that fails panics at the line of the test and shows what the
//! server sent instead.
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

pub mod checker;
pub mod clients;
pub mod eventually;
pub mod faults;
pub mod figures;
pub mod fixtures;
pub mod load;
pub mod server;
pub mod upgrade;

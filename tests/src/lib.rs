//! Support library of the end-to-end tests: real processes on free ports, real clients, and waiting
//! that is bounded and says what it waited for.
//!
//! It depends on nothing of the project, so that the tests see exactly what a stranger's client
//! sees. A check that fails panics at the test's own line, with what came instead.
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
pub mod fixtures;
pub mod load;
pub mod server;

//! A server that `cargo xtask bench peers` compares with others, by the name in the first argument:
//! the library in a program of its own, bare socketioxide, or a floor. `tests/peers/js` has the
//! servers in JavaScript.
//!
//! Each of them listens for clients on one port and for the benchmark on another, and prints both
//! in a first line: `listening PORT CONTROL VERSIONS`. The benchmark's lines say what to publish,
//! see [`instruction`]. Each server runs until it is killed.
#![allow(
    clippy::print_stdout,
    reason = "the benchmark reads the ports and the versions from standard output"
)]

mod bare_socketioxide;
mod control;
mod embedded;
mod floor;
mod http_head;
mod instruction;
mod notification;
mod settings;
mod versions;

use std::error::Error;

/// The allocator that `metaia-server` has.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

/// A failure to start, or to go on.
type Failure = Box<dyn Error + Send + Sync>;

fn main() -> Result<(), Failure> {
    let name = std::env::args().nth(1).unwrap_or_default();
    match name.as_str() {
        "floor" => floor::run(floor::Writing::EachFrame),
        "busy-floor" => floor::run(floor::Writing::EachFrameAfterWork),
        "batching-floor" => floor::run(floor::Writing::Batches),
        "memory" => block_on(embedded::in_memory()),
        "sqlite" => block_on(embedded::on_sqlite()),
        "socketioxide" => block_on(bare_socketioxide::run()),
        _ => Err(format!("no server `{name}`").into()),
    }
}

/// Runs a server on tokio's default runtime, which has as many threads as the process has cores.
fn block_on(server: impl Future<Output = Result<(), Failure>>) -> Result<(), Failure> {
    tokio::runtime::Runtime::new()?.block_on(server)
}

//! `metaia`: the QA tool of METAIA realtime. It connects as any role, prints and publishes events,
//! and explains why the server refused a request.

mod actor;
mod cli;
mod clock;
mod commands;
mod connection;
mod context;
mod exit;
mod identity;
mod liveness;
mod notices;
mod order_ref;
mod payload_args;
mod printer;
mod rest;
mod secrets;
mod span;
mod token;

use std::process::ExitCode;

use clap::Parser as _;

fn main() -> ExitCode {
    let cli = cli::Cli::parse();
    match tokio::runtime::Runtime::new() {
        Ok(runtime) => {
            let exit = runtime.block_on(cli.run());
            // A thread of the runtime may be blocked on standard input until the next line arrives,
            // so the process does not wait for it.
            runtime.shutdown_background();
            exit.into()
        }
        Err(_) => exit::Exit::Failed.into(),
    }
}

//! `metaia`: the QA tool of METAIA realtime. It connects as any role, watches events, fires them,
//! and says why something was refused.

mod actor;
mod cli;
mod clock;
mod commands;
mod connection;
mod context;
mod exit;
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
            // Standard input is read by a thread that only the next line would end.
            runtime.shutdown_background();
            exit.into()
        }
        Err(_) => exit::Exit::Failed.into(),
    }
}

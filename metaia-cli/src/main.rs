//! `metaia`: the QA tool of METAIA realtime. It connects as any role, prints and publishes events,
//! and explains why the server refused a request.

mod absence;
mod actor;
mod address;
mod blocked_output;
mod bounded_file;
mod child_command;
mod cli;
mod clock;
mod codes;
mod commands;
mod connecting;
mod connection;
mod connection_words;
mod context;
mod contexts;
mod diagnosis;
mod doctor;
mod event_line;
mod event_names;
mod example_order;
mod exit;
mod expectation;
mod feed;
mod identity;
mod interrupt;
mod jq_option;
mod liveness;
mod members;
mod network;
mod notices;
mod order_ref;
mod payload_args;
mod printer;
mod probe;
mod process_group;
mod provider;
mod proxy;
mod reply_reader;
mod rest;
mod retry_after;
mod scenario;
mod screen;
mod secrets;
mod session_end;
mod source_file;
mod span;
mod suggestion;
mod terminal;
mod tls;
mod token;
mod token_secrets;
mod user_folders;
mod verdict;
mod watcher;
mod where_option;
mod whole_file;

use std::process::ExitCode;

fn main() -> ExitCode {
    let cli = cli::Cli::read();
    match tokio::runtime::Runtime::new() {
        Ok(runtime) => {
            let exit = runtime.block_on(interrupt::bounded(cli.run()));
            // A thread of the runtime may be blocked on standard input until the next line arrives,
            // or on standard output until its reader goes on, so the process does not wait for it.
            runtime.shutdown_background();
            screen::release();
            exit.into()
        }
        Err(_) => exit::Exit::Failed.into(),
    }
}

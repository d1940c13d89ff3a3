//! `cargo xtask bench log`, `slow` and `cluster`: measures the real server as its clients see it,
//! and prints each figure beside its goal. It is a command and not a test: a missed goal is
//! printed, and only a wrong result is a failure.
#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::disallowed_methods,
    reason = "a command: a failed measurement panics with the reason, and its tasks end with it"
)]

mod cluster;
mod disk;
mod kernel;
mod log;
mod machine;
mod publisher;
mod readers;
mod recorder;
mod report;
mod slow;
mod workers;
mod writes;

use std::process::ExitCode;

use machine::Machine;
use report::Report;

#[tokio::main]
async fn main() -> ExitCode {
    // Cargo adds `--bench`.
    let wanted: Vec<String> = std::env::args()
        .skip(1)
        .filter(|word| !word.starts_with("--"))
        .collect();
    let mut machine = Machine::now().await;
    let mut report = Report::default();
    match wanted
        .iter()
        .map(String::as_str)
        .collect::<Vec<_>>()
        .as_slice()
    {
        ["log"] => log::run(&mut machine, &mut report).await,
        ["log", only] => log::run_only(only, &mut machine, &mut report).await,
        ["slow"] => slow::run(&mut machine, &mut report).await,
        ["cluster"] => cluster::run(&mut machine, &mut report).await,
        ["cluster", only] => cluster::run_only(only, &mut machine, &mut report).await,
        _ => {
            eprintln!(
                "usage: log [writes|start|storm], slow, or cluster [writes|latency|nodes|idle]"
            );
            return ExitCode::from(2);
        }
    }
    println!("\n{}\n\n{report}\n{machine}", machine.versions());
    ExitCode::SUCCESS
}

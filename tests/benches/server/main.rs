//! `cargo xtask bench log`, `slow`, `access`, `attack`, `cluster` and `connections`: measures the
//! real server as its clients see it, and prints each figure beside its goal. `peers` compares the
//! library with other servers. It is a command and not a test: a missed goal is printed, and only a
//! wrong result is a failure.
#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::disallowed_methods,
    reason = "a command: a failed measurement panics with the reason, and its tasks end with it"
)]

mod access;
mod attack;
mod cluster;
mod connections;
mod crowd;
mod disk;
mod kernel;
mod log;
mod machine;
mod peers;
mod publisher;
mod readers;
mod recorder;
mod report;
mod slow;
mod workers;
mod writes;

use std::process::ExitCode;

use machine::{Machine, server_version};
use report::Report;

#[tokio::main]
async fn main() -> ExitCode {
    // Cargo adds `--bench`.
    let words: Vec<String> = std::env::args()
        .skip(1)
        .filter(|word| word != "--bench")
        .collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["peers", words @ ..] => peers::run(words).await,
        [connections::CLIENTS, words @ ..] => {
            connections::run_clients(words);
            ExitCode::SUCCESS
        }
        [attack::program::NAME, words @ ..] => {
            attack::program::run(words).await;
            ExitCode::SUCCESS
        }
        words => with_goals(words).await,
    }
}

/// Runs a part whose figures have goals.
async fn with_goals(words: &[&str]) -> ExitCode {
    let mut machine = Machine::now();
    let mut report = Report::default();
    if let Err(mistake) = measure(words, &mut machine, &mut report).await {
        eprintln!(
            "{mistake}\nusage: log [writes|start|storm], slow, access, \
             attack [ATTACK …], \
             cluster [writes|latency|nodes|idle], connections [storm|idle] [--connections NUMBER], \
             or peers"
        );
        return ExitCode::from(2);
    }
    let version = server_version().await;
    let description = machine::description();
    println!("\n{version}; {description}\n\n{report}\n{machine}");
    ExitCode::SUCCESS
}

/// Measures the part that the words name. The error is what is wrong with them.
async fn measure(words: &[&str], machine: &mut Machine, report: &mut Report) -> Result<(), String> {
    match words {
        ["log"] => log::run(machine, report).await,
        ["log", only] => log::run_only(only, machine, report).await,
        ["slow"] => slow::run(machine, report).await,
        ["access"] => access::run(machine, report).await,
        ["attack", names @ ..] => return attack::run(names, machine, report).await,
        ["cluster"] => cluster::run(machine, report).await,
        ["cluster", only] => cluster::run_only(only, machine, report).await,
        ["connections", words @ ..] => return connections::run(words, machine, report).await,
        _ => return Err(format!("not a part: `{}`", words.join(" "))),
    }
    Ok(())
}

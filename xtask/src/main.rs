//! `cargo xtask`: the project's own commands. Everything that CI runs is one of them, nothing is
//! hidden in a workflow file.
//!
//! It has no dependencies, so that it compiles in a second on a fresh machine, and it stops at the
//! first command that fails with that command's name.
#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a command-line tool talks to its terminal"
)]

mod bench;
mod ci;
mod fuzz;
mod package;
mod paths;
mod provision;
mod shell;
mod test;
mod tidy;
mod tool_size;
mod upgrade;

use std::process::ExitCode;

const USAGE: &str = "\
Usage: cargo xtask <command>

  test [-- ARGS]     install or find what the tests need, build the binaries, run every test
                     there is; ARGS go to `cargo test` (for instance `-- -p metaia-tests resume`)
  ci [--full]        fmt, clippy, each feature alone, docs, tidy, then the tests;
                     --full adds what must be compiled first: cargo-deny, cargo-machete, the
                     packaged library with the examples of its docs, `fuzz`, and the tests of
                     `upgrade`
  upgrade            build an earlier version of the server from the history, and run the tests of
                     several nodes with nodes of both versions
  fuzz               let the transport read random input for two minutes, new cases each time
  bench PART [[--] ARGS]
                     dispatch: the library alone, ARGS go to criterion (for instance `-- --quick`);
                     log: durable writes, start, reconnect storm
                     (ARGS: one of writes, start, storm);
                     slow: what slow clients cost the others;
                     access: whether the time of a refusal tells that an order exists;
                     cluster: several nodes (ARGS: one of writes, latency, nodes, idle);
                     connections: very many clients (ARGS: one of storm, idle;
                     `--connections NUMBER` for idle);
                     peers: the library beside other servers (ARGS: `--quick`; `--only`, some of
                     memory,sqlite,socketioxide,socketio-node,socketio-bun,bun-publish; `--pattern`,
                     some of fan-out,fan-out-4,unicast,rate,connect,idle);
                     all: everything
  tidy               the rules about our own source that no other tool checks
  tidy --graph       the imports between files: circles, and the arrows between folders
  tidy --figures     sizes, density, docs and circles of each crate
  provision [TOOL]   install or find one of node, python, redis, mongod, nginx (all without TOOL),
                     or the servers of `bench peers` (peers)
";

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    match run(&args) {
        Ok(()) => ExitCode::SUCCESS,
        Err(Failure::Usage) => {
            eprint!("{USAGE}");
            ExitCode::from(2)
        }
        Err(Failure::Failed(why)) => {
            eprintln!("xtask: {why}");
            ExitCode::FAILURE
        }
    }
}

/// The reason why a command did not succeed.
#[derive(Debug)]
enum Failure {
    Usage,
    Failed(String),
}

impl From<String> for Failure {
    fn from(why: String) -> Self {
        Self::Failed(why)
    }
}

fn run(args: &[String]) -> Result<(), Failure> {
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    match args.as_slice() {
        ["test"] => test::run(&[])?,
        ["test", "--", rest @ ..] => test::run(rest)?,
        ["ci"] => ci::run_all(ci::Extent::Toolchain)?,
        ["fuzz"] => fuzz::run_targets()?,
        ["ci", "--full"] => ci::run_all(ci::Extent::Full)?,
        ["upgrade"] => upgrade::run_tests()?,
        ["bench", part, "--", rest @ ..] | ["bench", part, rest @ ..] => {
            bench::run_part(part, rest)?;
        }
        ["tidy"] => tidy::run()?,
        ["tidy", "--graph"] => tidy::graph()?,
        ["tidy", "--figures"] => tidy::figures()?,
        ["provision"] => provision::everything()?,
        ["provision", tool] => provision::named(tool)?,
        _ => return Err(Failure::Usage),
    }
    Ok(())
}

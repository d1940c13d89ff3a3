//! Messages of the tool about servers that are not reached or that refuse: the address, the cause,
//! the cure and the exit code, which are the same for sockets and REST.

mod addresses;
mod answers;
mod clocks;
mod interrupts;
mod options;
mod proxies;
mod terminals;

use metaia_tests::clients::cli::Cli;
use metaia_tests::server::process::ProcessOutput;

/// One command over a socket and one over REST.
const TAIL: [&str; 5] = ["tail", "--as", "customer:c1", "--for", "1s"];
const EMIT: [&str; 3] = ["emit", "user:u1", "x"];

/// Checks the exit code, and that the error contains all parts.
#[track_caller]
fn check(output: &ProcessOutput, code: i32, parts: &[&str]) {
    assert_eq!(output.code, Some(code), "{output:#?}");
    for part in parts {
        assert!(output.stderr.contains(part), "no {part:?}: {output:#?}");
    }
}

/// Checks both commands: they end with the same code.
async fn check_both(cli: &Cli, code: i32, parts: &[&str]) {
    for args in [&TAIL[..], &EMIT] {
        check(&cli.run(args).await, code, parts);
    }
}

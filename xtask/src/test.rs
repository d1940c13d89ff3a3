//! `cargo xtask test`: every test there is.

use crate::provision;
use crate::shell;

/// One set of features for building and testing, so that nothing is compiled twice.
const EVERYTHING: [&str; 2] = ["--workspace", "--all-features"];

/// End-to-end tests to which it is no matter where the server keeps its records.
const OF_ANY_STORE: [&str; 13] = [
    "guide::",
    "rest::",
    "orders::",
    "notifications::",
    "payments::",
    "realtime_emit::",
    "rooms::",
    "resume::",
    "device::",
    "matrix::",
    "positions::",
    "restart::",
    "scenarios::",
];

/// Runs them once more, with every server on MongoDB: the same answers, by the same tests.
fn on_mongodb() -> Result<(), String> {
    let mut test = shell::cargo();
    test.env("METAIA_TEST_STORE", "mongodb");
    test.args([
        "test",
        "-p",
        "metaia-tests",
        "--all-features",
        "--test",
        "e2e",
        "--",
    ]);
    shell::run(test.args(OF_ANY_STORE))
}

/// Runs all scenarios of `examples/scenarios` with each fault that a test build can plant.
pub(crate) fn run_with_planted_faults() -> Result<(), String> {
    let mut test = shell::cargo();
    test.env("METAIA_LONG", "1");
    test.args(["test", "-p", "metaia-tests", "--all-features"]);
    shell::run(test.args(["--test", "e2e", "--", "planted_faults::"]))
}

/// Provides the tools, and builds what the tests start as processes.
pub(crate) fn prepare() -> Result<(), String> {
    provision::everything()?;
    shell::run(
        shell::cargo()
            .arg("build")
            .args(EVERYTHING)
            .args(["--bins", "--examples"]),
    )
}

/// Prepares and runs the tests; `only` goes to `cargo test`.
pub(crate) fn run(only: &[&str]) -> Result<(), String> {
    prepare()?;
    if only.is_empty() {
        shell::run(
            shell::cargo()
                .arg("test")
                .args(EVERYTHING)
                .arg("--no-fail-fast"),
        )?;
        return on_mongodb();
    }
    shell::run(shell::cargo().arg("test").arg("--all-features").args(only))
}

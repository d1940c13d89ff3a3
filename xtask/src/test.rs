//! `cargo xtask test`: every test there is.

use crate::provision;
use crate::shell;

/// One set of features for building and testing, so that nothing is compiled twice.
const EVERYTHING: [&str; 2] = ["--workspace", "--all-features"];

/// Provides the tools, builds what the tests start as processes, and runs the tests; `only` goes to `cargo test`.
pub(crate) fn run(only: &[&str]) -> Result<(), String> {
    provision::everything()?;
    shell::run(shell::cargo().arg("build").args(EVERYTHING).args(["--bins", "--examples"]))?;
    if only.is_empty() {
        return shell::run(shell::cargo().arg("test").args(EVERYTHING).arg("--no-fail-fast"));
    }
    shell::run(shell::cargo().arg("test").arg("--all-features").args(only))
}

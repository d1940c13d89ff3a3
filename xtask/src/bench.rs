//! `cargo xtask bench`: what the library costs, measured.

use crate::shell::{cargo, run as run_command};

/// Runs the benches; `args` go to criterion.
pub(crate) fn run(args: &[&str]) -> Result<(), String> {
    let bench = ["bench", "-p", "metaia-realtime", "--features", "bench", "--bench", "dispatch", "--"];
    run_command(cargo().args(bench).args(args))
}

//! The long form of the fuzzing: the tests of the transport that read random input, for minutes and
//! with cases that no run has had before.

use std::hash::{BuildHasher as _, RandomState};

use crate::shell::{cargo, run};

/// The time of each target. They run side by side.
const SECONDS: u64 = 120;

/// As many as there are targets, or more: a target is busy for its whole time.
const THREADS: &str = "16";

/// Runs every target. The command that is shown has the seed of the run; a target that fails prints
/// the seed of its case.
pub(crate) fn run_targets() -> Result<(), String> {
    // Another seed in each run, without a crate for that.
    let seed = RandomState::new().hash_one(SECONDS);
    eprintln!("fuzzing for {SECONDS} s, METAIA_FUZZ_SEED={seed}");
    let mut test = cargo();
    test.env("METAIA_FUZZ_SECONDS", SECONDS.to_string());
    test.env("METAIA_FUZZ_SEED", seed.to_string());
    test.args(["test", "-p", "metaia-realtime", "--all-features"]);
    test.args(["--lib", "fuzz::", "--", "--test-threads", THREADS]);
    run(&mut test)
}

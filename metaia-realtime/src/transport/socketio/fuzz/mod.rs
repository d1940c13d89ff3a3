//! Fuzzing of what clients send: a driver, and random [`input`]. The targets stand beside the code
//! that they try: `websocket/fuzz.rs`, `direct/fuzz.rs`, `direct/conversation/tests/fuzz.rs`,
//! `upgrade/fuzz.rs`.
//!
//! Every case has a seed, which is printed if the case fails. By default each target runs the same
//! few thousand cases. With `METAIA_FUZZ_SECONDS` it runs for so long, with other cases for each
//! `METAIA_FUZZ_SEED`: `cargo xtask fuzz` does so.

pub(super) mod input;

use std::time::{Duration, Instant};

use rand::{SeedableRng as _, rngs::StdRng};

/// The cases of a target by default.
const CASES: u64 = 2_000;

/// The extent of a run.
enum Extent {
    Cases(u64),
    Until(Instant),
}

impl Extent {
    fn of_environment() -> Self {
        match variable("METAIA_FUZZ_SECONDS") {
            Some(seconds) => Self::Until(Instant::now() + Duration::from_secs(seconds)),
            None => Self::Cases(CASES),
        }
    }

    fn has(&self, case: u64) -> bool {
        match self {
            Self::Cases(cases) => case < *cases,
            Self::Until(end) => Instant::now() < *end,
        }
    }
}

fn variable(name: &str) -> Option<u64> {
    let value = std::env::var(name).ok()?;
    let number = value.parse();
    Some(number.unwrap_or_else(|_| panic!("{name} is not a number: {value}")))
}

/// Runs a target, which panics if a case fails.
pub(super) fn run(mut target: impl FnMut(&mut StdRng)) {
    let extent = Extent::of_environment();
    let first = variable("METAIA_FUZZ_SEED").unwrap_or(0);
    for case in (0..).take_while(|case| extent.has(*case)) {
        let seed = first.wrapping_add(case);
        let _running = RunningCase(seed);
        target(&mut StdRng::seed_from_u64(seed));
    }
}

/// Names its seed if it is dropped by a panic.
struct RunningCase(u64);

impl Drop for RunningCase {
    #[allow(
        clippy::print_stderr,
        reason = "the test's output is where its reader looks"
    )]
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!(
                "run it alone: METAIA_FUZZ_SEED={} METAIA_FUZZ_SECONDS=1",
                self.0
            );
        }
    }
}

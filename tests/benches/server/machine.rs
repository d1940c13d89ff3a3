//! The machine of the measurement, and whether other processes used it meanwhile.

use std::fmt;
use std::time::Duration;

use metaia_tests::figures::median;
use metaia_tests::server::paths::binary;
use metaia_tests::server::process::Process;
use tokio::process::Command;
use tokio::time::Instant;

/// The load per core before the first measurement above which the run counts as noisy.
const QUIET_LOAD: f64 = 1.0;
/// The ratio of the median to the shortest duration of a fixed loop above which the run counts as
/// noisy.
const QUIET_SPREAD: f64 = 1.25;
const LOOP_STEPS: u64 = 30_000_000;

/// The machine, and the durations of a fixed loop at several moments.
#[derive(Debug)]
pub(crate) struct Machine {
    load: f64,
    loops: Vec<f64>,
}

impl Machine {
    /// Records the machine before the first server of the run is started.
    pub(crate) fn now() -> Self {
        let mut machine = Self {
            load: load(),
            loops: Vec::new(),
        };
        machine.calibrate();
        machine
    }

    /// Times a fixed loop. If it takes longer than at other times, another process uses the core.
    pub(crate) fn calibrate(&mut self) {
        for _ in 0..3 {
            let begun = Instant::now();
            let mixed = (0..LOOP_STEPS).fold(1_u64, |mixed, n| {
                mixed.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ n
            });
            std::hint::black_box(mixed);
            self.loops.push(begun.elapsed().as_secs_f64());
        }
    }
}

/// Returns the profile, the version of the kernel, and the number of cores.
pub(crate) fn description() -> String {
    let kernel = read("/proc/sys/kernel/osrelease");
    let kernel = kernel.trim();
    let cores = cores();
    format!("profile dist, Linux {kernel}, {cores} cores")
}

/// Returns the version of the server under test.
pub(crate) async fn server_version() -> String {
    let mut version = Command::new(binary("metaia-server"));
    version.arg("--version");
    Process::run(version).await.expect_code(0).stdout
}

impl fmt::Display for Machine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let least = self.loops.iter().copied().fold(f64::MAX, f64::min);
        let middle = median(&self.loops) / least;
        let most = self.loops.iter().copied().fold(0.0, f64::max) / least;
        let noisy = self.load > QUIET_LOAD * cores() || middle > QUIET_SPREAD;
        let verdict = if noisy {
            "NOISY, others used the machine"
        } else {
            "quiet"
        };
        let load = self.load;
        write!(
            f,
            "{verdict}: load {load:.1} before the start; \
             a fixed loop took {middle:.2} (median) to {most:.2} times its least"
        )
    }
}

fn load() -> f64 {
    read("/proc/loadavg")
        .split(' ')
        .next()
        .and_then(|load| load.parse().ok())
        .unwrap_or_default()
}

fn cores() -> f64 {
    std::thread::available_parallelism().map_or(1.0, |cores| cores.get() as f64)
}

fn read(path: &str) -> String {
    std::fs::read_to_string(path).unwrap_or_default()
}

/// Converts a duration into milliseconds, for the table.
pub(crate) fn ms(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1e3
}

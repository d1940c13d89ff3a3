//! The use of the machine by other programs while servers were measured.

use std::fmt;

use metaia_tests::figures::median;

/// The cores that other programs may use during a quiet measurement.
const QUIET_CORES: f64 = 0.25;
/// The share of measurements that are not quiet above which the run counts as noisy. Below it, the
/// medians leave them out.
const QUIET_SHARE: f64 = 0.2;

/// The cores that other programs used during each measurement.
#[derive(Debug, Default)]
pub(super) struct Noise(Vec<f64>);

impl Noise {
    /// Adds a measurement.
    pub(super) fn add(&mut self, cores: f64) {
        self.0.push(cores);
    }
}

impl fmt::Display for Noise {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let all = self.0.len();
        let disturbed = self.0.iter().filter(|cores| **cores > QUIET_CORES).count();
        let verdict = if disturbed as f64 > QUIET_SHARE * all as f64 {
            "the machine was TOO NOISY, repeat the run"
        } else {
            "the machine was quiet"
        };
        let middle = median(&self.0);
        write!(
            f,
            "{verdict}: other programs used {middle:.2} cores (median), and more than \
             {QUIET_CORES} in {disturbed} of {all} measurements"
        )
    }
}

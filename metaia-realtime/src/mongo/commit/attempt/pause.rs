//! The lengths of pauses: random, so that nodes that failed together do not try again together.

use std::time::Duration;

use rand::RngExt as _;

/// The pause after the first failure of the database. Each further one doubles it.
const FIRST_BACKOFF: Duration = Duration::from_millis(20);

/// The longest pause of a worker, before it is [`jittered`].
pub(in crate::mongo::commit) const MAX_PAUSE: Duration = Duration::from_millis(500);

/// The pauses after failures of the database.
#[derive(Debug)]
pub(super) struct Backoff {
    next: Duration,
}

impl Default for Backoff {
    fn default() -> Self {
        Self {
            next: FIRST_BACKOFF,
        }
    }
}

impl Backoff {
    /// Returns the pause after this failure, and doubles the next one.
    pub(super) fn next_pause(&mut self) -> Duration {
        let pause = jittered(self.next);
        self.next = (self.next * 2).min(MAX_PAUSE);
        pause
    }
}

/// Returns a random time from half of the pause to one and a half of it.
pub(in crate::mongo::commit) fn jittered(pause: Duration) -> Duration {
    pause / 2 + random_up_to(pause)
}

/// Returns a random time below `most`.
pub(super) fn random_up_to(most: Duration) -> Duration {
    most.mul_f64(rand::rng().random_range(0.0..1.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_backoff_doubles_up_to_its_bound() {
        let mut backoff = Backoff::default();
        for expected in [20, 40, 80, 160, 320, 500, 500] {
            let expected = Duration::from_millis(expected);
            let pause = backoff.next_pause();
            assert!(pause >= expected / 2, "{pause:?}, not {expected:?}");
            assert!(pause <= expected * 3 / 2, "{pause:?}, not {expected:?}");
        }
    }
}

//! The CPU time of a process, by the kernel's account.

use std::ops::Sub;

/// The unit of process times in `/proc`. Linux always uses 100 ticks per second.
pub const TICKS_PER_SECOND: f64 = 100.0;

/// CPU time, in seconds.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct CpuTime {
    /// Spent in the program itself.
    pub user: f64,
    /// Spent in the kernel, on behalf of the program.
    pub system: f64,
}

impl CpuTime {
    /// Reads the text of `/proc/PID/stat`, whose 14th and 15th words are user and system time. The
    /// second word is a name in parentheses and may contain blanks and parentheses.
    #[must_use]
    pub fn from_stat(stat: &str) -> Option<Self> {
        let (_, after_name) = stat.rsplit_once(')')?;
        let mut words = after_name.split_ascii_whitespace().skip(11);
        let user = seconds(words.next()?)?;
        let system = seconds(words.next()?)?;
        Some(Self { user, system })
    }

    /// Returns the time in the program and in the kernel.
    #[must_use]
    pub fn total(self) -> f64 {
        self.user + self.system
    }

    /// Returns the share of one of so many operations, in microseconds instead of seconds.
    #[must_use]
    pub fn micros_per(self, operations: f64) -> Self {
        Self {
            user: self.user * 1e6 / operations,
            system: self.system * 1e6 / operations,
        }
    }
}

impl Sub for CpuTime {
    type Output = Self;

    fn sub(self, before: Self) -> Self {
        Self {
            user: self.user - before.user,
            system: self.system - before.system,
        }
    }
}

fn seconds(ticks: &str) -> Option<f64> {
    let ticks: f64 = ticks.parse().ok()?;
    Some(ticks / TICKS_PER_SECOND)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(stat: &str, expected: Option<(f64, f64)>) {
        let time = CpuTime::from_stat(stat);
        assert_eq!(time.map(|time| (time.user, time.system)), expected);
    }

    #[test]
    fn user_and_system_time_are_the_14th_and_15th_words() {
        let stat = "1234 (server) S 1 1234 1234 0 -1 4194560 100 0 3 0 250 75 9 9 20 0 4 0 111";
        check(stat, Some((2.5, 0.75)));
    }

    #[test]
    fn a_name_may_have_blanks_and_parentheses() {
        let stat = "1 (a) b (c) R 1 1 1 0 -1 0 1 0 3 0 100 200 0 0 20";
        check(stat, Some((1.0, 2.0)));
    }

    #[test]
    fn another_text_has_no_times() {
        check("", None);
        check("1 (cut off) S 1 1", None);
        check("1 (a) R 1 1 1 0 -1 0 1 0 3 0 x 200 0 0 20", None);
    }

    #[test]
    fn a_difference_is_one_of_each_part() {
        let time = |user, system| CpuTime { user, system };
        let spent = time(3.0, 2.0) - time(1.0, 0.5);
        assert_eq!(spent, time(2.0, 1.5));
        assert_eq!(spent.total(), 3.5);
    }

    #[test]
    fn a_share_is_in_microseconds() {
        let spent = CpuTime {
            user: 1.0,
            system: 3.0,
        };
        assert_eq!(spent.micros_per(1_000.0).user, 1_000.0);
        assert_eq!(spent.micros_per(1_000.0).total(), 4_000.0);
    }
}

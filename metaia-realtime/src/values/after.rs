//! Instants that follow from a limit.

use std::time::Duration;

use tokio::time::Instant;

/// A time that is far enough away to count as never.
const NEVER: Duration = Duration::from_secs(30 * 365 * 24 * 3_600);

/// Returns the instant that follows `now` by `time`, however long that is: a limit may be
/// `Duration::MAX`.
pub(crate) fn after(now: Instant, time: Duration) -> Instant {
    now.checked_add(time).unwrap_or_else(|| now + NEVER)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_may_be_as_long_as_can_be() {
        let now = Instant::now();
        let second = Duration::from_secs(1);
        assert_eq!(after(now, second), now + second);
        assert_eq!(after(now, Duration::MAX), now + NEVER);
        assert!(after(after(now, Duration::MAX), Duration::MAX) > now + NEVER);
    }
}

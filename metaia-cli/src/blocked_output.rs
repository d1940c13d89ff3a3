//! The time for which the reader of standard output let the process wait. Meanwhile events queue
//! up, then the connections are not read, and a server ends a client that does not read.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// The longest wait so far, in milliseconds. There is one standard output per process.
static LONGEST_MS: AtomicU64 = AtomicU64::new(0);

/// A shorter wait ends no session: the queues are larger.
const MIN_WAIT: Duration = Duration::from_secs(5);

/// Records the time that one write took.
pub(crate) fn record(took: Duration) {
    let ms = u64::try_from(took.as_millis()).unwrap_or(u64::MAX);
    LONGEST_MS.fetch_max(ms, Ordering::Relaxed);
}

/// Returns advice for a session that ended without a reason, if slow reading may be the reason.
pub(crate) fn advice() -> Option<String> {
    advice_for(Duration::from_millis(LONGEST_MS.load(Ordering::Relaxed)))
}

fn advice_for(longest: Duration) -> Option<String> {
    (longest >= MIN_WAIT).then(|| {
        let seconds = longest.as_secs();
        format!(
            "the reader of standard output let metaia wait for {seconds} s: the server may have \
             ended the session, since metaia read too slowly (slow_consumer in its log)"
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_long_wait_may_be_the_reason() {
        assert_eq!(advice_for(Duration::ZERO), None);
        assert_eq!(advice_for(Duration::from_millis(4_999)), None);
        let advice = advice_for(Duration::from_secs(31)).unwrap();
        assert!(advice.contains("wait for 31 s"), "{advice}");
        assert!(advice.contains("slow_consumer"), "{advice}");
    }
}

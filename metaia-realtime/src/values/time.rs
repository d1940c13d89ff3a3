//! The one place where wall time is read.

use std::time::UNIX_EPOCH;

/// Returns the milliseconds since the Unix epoch. A clock set before 1970 reads as 0.
#[allow(clippy::disallowed_methods, reason = "this is the clock")]
pub(crate) fn unix_ms() -> i64 {
    let since = std::time::SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}

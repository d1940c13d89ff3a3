//! Reads the wall clock, and formats times. Nothing else in the CLI reads it.

use std::sync::atomic::{AtomicI64, Ordering};
use std::time::UNIX_EPOCH;

use time::OffsetDateTime;
use time::macros::format_description;

/// Returns the seconds since the Unix epoch, or 0 if the clock is set before 1970.
pub(crate) fn unix_s() -> i64 {
    unix_ms() / 1_000
}

/// Returns the milliseconds since the Unix epoch, or 0 if the clock is set before 1970.
pub(crate) fn unix_ms() -> i64 {
    #[allow(clippy::disallowed_methods, reason = "this is the clock")]
    let since = std::time::SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}

/// The time by which the server's clock is ahead of this machine's, in milliseconds. There is one
/// server per process, and every event's latency needs it.
static SERVER_AHEAD_MS: AtomicI64 = AtomicI64::new(0);

/// Sets how far the server's clock is ahead, in milliseconds. Returns true the first time.
pub(crate) fn set_server_ahead_ms(ahead: i64) -> bool {
    SERVER_AHEAD_MS.swap(ahead, Ordering::Relaxed) == 0
}

/// Returns the latency of an event by one clock: `measured` is by the clocks of both machines.
pub(crate) fn latency_ms(measured: i64) -> i64 {
    measured.saturating_add(SERVER_AHEAD_MS.load(Ordering::Relaxed))
}

/// Formats the time of day in UTC, to the millisecond.
pub(crate) fn time_of_day(unix_ms: i64) -> String {
    let format = format_description!("[hour]:[minute]:[second].[subsecond digits:3]");
    let shown = OffsetDateTime::from_unix_timestamp_nanos(i128::from(unix_ms) * 1_000_000)
        .map(|moment| moment.format(&format).unwrap_or_default());
    shown.unwrap_or_else(|_| format!("{unix_ms} ms"))
}

/// Formats date and time in UTC, to the second.
pub(crate) fn date_time(unix_s: i64) -> String {
    let format = format_description!("[year]-[month]-[day] [hour]:[minute]:[second]Z");
    let shown = OffsetDateTime::from_unix_timestamp(unix_s)
        .map(|moment| moment.format(&format).unwrap_or_default());
    shown.unwrap_or_else(|_| format!("{unix_s} s"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_shown_in_utc() {
        assert_eq!(time_of_day(1_700_000_000_123), "22:13:20.123");
        assert_eq!(date_time(1_700_000_000), "2023-11-14 22:13:20Z");
    }

    #[test]
    fn a_time_beyond_the_calendar_is_shown_as_a_number() {
        assert_eq!(time_of_day(i64::MAX), format!("{} ms", i64::MAX));
        assert_eq!(date_time(i64::MAX), format!("{} s", i64::MAX));
    }
}

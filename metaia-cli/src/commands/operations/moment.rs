//! A moment on the command line: a time in RFC 3339, or a duration that lies back.

use std::fmt;
use std::time::Duration;

use serde_json::{Value, json};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use time::macros::format_description;

use crate::clock;
use crate::span;

const EXPECTED_TIME: &str =
    "expected a time in RFC 3339, such as 2026-11-30T12:00:00Z, or Unix seconds";

const EXPECTED: &str = "expected a time in RFC 3339, such as 2026-11-30T12:00:00Z, or the time \
                        that has passed since then, such as 5m";

/// A time of a token, in milliseconds since the Unix epoch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct TokenTime(i64);

impl TokenTime {
    /// Parses `now`, Unix seconds of ten digits, and what [`parse`] takes.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let now = clock::unix_ms();
        if text == "now" {
            return Ok(Self(now));
        }
        if let Ok(moment) = Self::parse_time(text) {
            return Ok(moment);
        }
        let passed = span::parse(text).ok();
        let moment = passed.and_then(|passed| before(now, passed));
        moment.map(Self).ok_or_else(|| EXPECTED.to_owned())
    }

    /// Parses a time in RFC 3339, or Unix seconds of ten digits: fewer are a duration elsewhere.
    pub(super) fn parse_time(text: &str) -> Result<Self, String> {
        let is_digits = text.len() == 10 && text.bytes().all(|byte| byte.is_ascii_digit());
        let seconds: Option<i64> = text.parse().ok().filter(|_| is_digits);
        let time = seconds
            .map(|seconds| seconds * 1_000)
            .or_else(|| unix_ms(text));
        let time = time.filter(|time| *time >= 0);
        time.map(Self).ok_or_else(|| EXPECTED_TIME.to_owned())
    }

    /// Reads a number of Unix seconds, which may have a fraction.
    pub(super) fn from_unix_seconds(seconds: &Value) -> Option<Self> {
        let ms = (seconds.as_f64()? * 1_000.0).round();
        // Times of the calendar are far within the range.
        Some(Self(ms as i64))
    }

    /// Returns the Unix seconds: whole, or with a fraction.
    pub(super) fn unix_seconds(self) -> Value {
        if self.0 % 1_000 == 0 {
            json!(self.0 / 1_000)
        } else {
            json!(self.0 as f64 / 1_000.0)
        }
    }
}

impl fmt::Display for TokenTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match rfc3339(self.0) {
            Some(text) => f.write_str(&text),
            None => write!(f, "{} ms", self.0),
        }
    }
}

/// Parses a moment. Returns it as the server takes it: in RFC 3339.
pub(super) fn parse(text: &str) -> Result<String, String> {
    parse_at(text, clock::unix_ms())
}

/// Returns the present time in RFC 3339.
pub(super) fn now() -> String {
    rfc3339(clock::unix_ms()).unwrap_or_default()
}

fn parse_at(text: &str, now_ms: i64) -> Result<String, String> {
    let unix_ms = match span::parse(text) {
        Ok(passed) => before(now_ms, passed),
        Err(_) => unix_ms(text),
    };
    unix_ms.and_then(rfc3339).ok_or_else(|| EXPECTED.to_owned())
}

fn before(now_ms: i64, passed: Duration) -> Option<i64> {
    let passed = i64::try_from(passed.as_millis()).ok()?;
    let moment = now_ms.checked_sub(passed)?;
    // The server's times begin with the Unix epoch.
    (moment >= 0).then_some(moment)
}

fn unix_ms(text: &str) -> Option<i64> {
    let moment = OffsetDateTime::parse(text, &Rfc3339).ok()?;
    i64::try_from(moment.unix_timestamp_nanos() / 1_000_000).ok()
}

/// Formats a time in UTC, to the millisecond.
fn rfc3339(unix_ms: i64) -> Option<String> {
    let format =
        format_description!("[year]-[month]-[day]T[hour]:[minute]:[second].[subsecond digits:3]Z");
    let nanos = i128::from(unix_ms) * 1_000_000;
    let moment = OffsetDateTime::from_unix_timestamp_nanos(nanos).ok()?;
    moment.format(&format).ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const NOW: i64 = 1_700_000_000_123;

    #[test]
    fn a_moment_is_a_time_or_a_duration_that_lies_back() {
        let parsed = |text| parse_at(text, NOW).unwrap();
        assert_eq!(parsed("5m"), "2023-11-14T22:08:20.123Z");
        assert_eq!(parsed("20"), "2023-11-14T22:13:00.123Z");
        assert_eq!(parsed("2026-11-30T12:00:00Z"), "2026-11-30T12:00:00.000Z");
        let of_india = "2026-11-30T12:00:00.25+05:30";
        assert_eq!(parsed(of_india), "2026-11-30T06:30:00.250Z");
    }

    #[test]
    fn any_other_text_is_refused() {
        for text in ["", "bla", "yesterday", "-5m", "2026-11-30", "99999999d"] {
            assert_eq!(parse_at(text, NOW), Err(EXPECTED.to_owned()), "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn no_text_panics(text in any::<String>(), now in any::<i64>()) {
            let _ = parse_at(&text, now);
        }

        #[test]
        fn a_duration_lies_back_by_itself(seconds in 0_u32..1_000_000) {
            let parsed = parse_at(&format!("{seconds}s"), NOW).unwrap();
            prop_assert_eq!(unix_ms(&parsed), Some(NOW - i64::from(seconds) * 1_000));
        }
    }
}

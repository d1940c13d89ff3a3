//! The clock of the records, and the text form of its times.

use std::{
    fmt,
    str::FromStr,
    time::{SystemTime, UNIX_EPOCH},
};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};
use time::{OffsetDateTime, format_description::well_known::Rfc3339};

/// A time in milliseconds since the Unix epoch. As text: RFC 3339 in UTC, with milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(i64);

impl Timestamp {
    /// The year 10000, the first time without a text in RFC 3339.
    const END: i64 = 253_402_300_800_000;

    /// Returns the current time. A clock that is set before 1970 reads as 1970.
    #[allow(clippy::disallowed_methods, reason = "this is the clock")]
    #[must_use]
    pub fn now() -> Self {
        let since = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default();
        Self(i64::try_from(since.as_millis()).unwrap_or_default())
    }

    /// Returns the time `ms` milliseconds after the Unix epoch, if it lies between 1970 and 9999.
    #[must_use]
    pub fn from_ms(ms: i64) -> Option<Self> {
        if (0..Self::END).contains(&ms) {
            Some(Self(ms))
        } else {
            None
        }
    }

    /// Returns the milliseconds since the Unix epoch.
    #[must_use]
    pub const fn ms(self) -> i64 {
        self.0
    }

    /// Returns this time, or `earlier` if this time lies before it: a record never changes before
    /// it was made, even if the clock is set back.
    #[must_use]
    pub fn not_before(self, earlier: Self) -> Self {
        self.max(earlier)
    }

    /// Returns the next millisecond. The last one has no next, and is returned itself.
    #[must_use]
    pub fn next(self) -> Self {
        Self((self.0 + 1).min(Self::END - 1))
    }

    pub(crate) fn date(self) -> OffsetDateTime {
        OffsetDateTime::from_unix_timestamp_nanos(i128::from(self.0) * 1_000_000)
            .unwrap_or(OffsetDateTime::UNIX_EPOCH)
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let at = self.date();
        let (year, month, day) = at.to_calendar_date();
        let (hour, minute, second, milli) = at.to_hms_milli();
        let month = u8::from(month);
        write!(
            f,
            "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{milli:03}Z"
        )
    }
}

/// A text that is not an RFC 3339 time from 1970 to 9999.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be a time in RFC 3339, for example 2026-01-31T09:30:00.000Z")]
pub struct InvalidTimestamp;

impl FromStr for Timestamp {
    type Err = InvalidTimestamp;
    /// Parses a time with any offset. Fractions of a millisecond are cut off.
    fn from_str(text: &str) -> Result<Self, InvalidTimestamp> {
        let at = OffsetDateTime::parse(text, &Rfc3339).map_err(|_| InvalidTimestamp)?;
        let ms = at.unix_timestamp_nanos().div_euclid(1_000_000);
        i64::try_from(ms)
            .ok()
            .and_then(Self::from_ms)
            .ok_or(InvalidTimestamp)
    }
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        text.parse().map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_time_reads_back(ms in 0..Timestamp::END) {
            let at = Timestamp::from_ms(ms).unwrap();
            prop_assert_eq!(at.to_string().parse(), Ok(at));
            prop_assert_eq!(at.to_string().len(), 24);
        }

        #[test]
        fn any_text_is_a_time_or_an_error(text in ".{0,40}") {
            let _: Result<Timestamp, _> = text.parse();
        }
    }

    #[test]
    fn the_next_millisecond_has_a_text_too() {
        assert_eq!(Timestamp(7).next(), Timestamp(8));
        let last = Timestamp(Timestamp::END - 1);
        assert_eq!(last.next(), last);
    }

    #[test]
    fn times_are_utc_with_milliseconds() {
        assert_eq!(
            Timestamp(1_700_000_000_007).to_string(),
            "2023-11-14T22:13:20.007Z"
        );
        assert_eq!(
            "2023-11-14T23:13:20.007+01:00".parse(),
            Ok(Timestamp(1_700_000_000_007))
        );
        assert_eq!(
            "9999-12-31T23:59:59-10:00".parse::<Timestamp>(),
            Err(InvalidTimestamp)
        );
    }
}

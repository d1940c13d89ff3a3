//! Times as claims of tokens have them: seconds since the Unix epoch, in any form of a number.

use metaia_realtime::values::JsonNumber;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};
use serde_json::value::RawValue;

/// A time in milliseconds since the Unix epoch. As JSON: a number of seconds, which may have a
/// fraction (RFC 7519, `NumericDate`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct UnixSeconds(i64);

impl UnixSeconds {
    /// Returns the time `ms` milliseconds after the Unix epoch.
    #[must_use]
    pub const fn from_ms(ms: i64) -> Self {
        Self(ms)
    }

    /// Returns the milliseconds since the Unix epoch. A number of seconds that does not fit is the
    /// bound of the range.
    #[must_use]
    pub const fn ms(self) -> i64 {
        self.0
    }

    /// Returns whether it is this number of seconds after the Unix epoch, or later.
    #[must_use]
    pub const fn is_from(self, seconds: i64) -> bool {
        self.0 >= seconds.saturating_mul(1_000)
    }
}

impl<'de> Deserialize<'de> for UnixSeconds {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let written = Box::<RawValue>::deserialize(deserializer)?;
        let number = JsonNumber::parse(written.get())
            .ok_or_else(|| D::Error::custom("must be a number of seconds since the Unix epoch"))?;
        Ok(Self(number.floor_thousandfold()))
    }
}

impl Serialize for UnixSeconds {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if self.0 % 1_000 == 0 {
            serializer.serialize_i64(self.0 / 1_000)
        } else {
            serializer.serialize_f64(self.0 as f64 / 1_000.0)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(written: &str, ms: i64, shown: &str) {
        let time: UnixSeconds = serde_json::from_str(written).unwrap();
        assert_eq!(time.ms(), ms, "{written}");
        assert_eq!(serde_json::to_string(&time).unwrap(), shown, "{written}");
    }

    #[test]
    fn a_time_is_a_number_of_seconds_in_any_form() {
        check("0", 0, "0");
        check("1796000000", 1_796_000_000_000, "1796000000");
        check("1796000000.0", 1_796_000_000_000, "1796000000");
        check("1796000000.123", 1_796_000_000_123, "1796000000.123");
        check("1796000000.1239", 1_796_000_000_123, "1796000000.123");
        check("1.796e9", 1_796_000_000_000, "1796000000");
        check("-1.5", -1_500, "-1.5");
        check("1e400", i64::MAX, "9223372036854776.0");
    }

    #[test]
    fn other_json_is_no_time() {
        for written in ["null", "\"1796000000\"", "true", "[1]", "{}"] {
            assert!(
                serde_json::from_str::<UnixSeconds>(written).is_err(),
                "{written}"
            );
        }
    }
}

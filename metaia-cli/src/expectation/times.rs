//! The number of events that an expectation wants.

use std::fmt;
use std::ops::RangeInclusive;
use std::str::FromStr;

use serde_json::Value;

/// A number of events: exactly `N`, `N..M` (both included), or `any`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Times(RangeInclusive<usize>);

/// A text that is no number of events.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum InvalidTimes {
    /// The text has another form.
    #[error("{0:?} is no number of times: write 2, 1..3 or any")]
    Malformed(String),
    /// The second number is smaller than the first.
    #[error("{0}..{1} is empty: did you mean {1}..{0}?")]
    Empty(usize, usize),
}

impl Times {
    /// Any number, none included.
    pub(crate) const ANY: Self = Self(0..=usize::MAX);
    pub(crate) const NEVER: Self = Self(0..=0);
    pub(crate) const ONCE: Self = Self(1..=1);

    pub(crate) const fn exactly(count: usize) -> Self {
        Self(count..=count)
    }

    /// Returns the number after which a watcher need not wait for more.
    pub(crate) fn minimum(&self) -> usize {
        *self.0.start()
    }

    /// Returns the largest number that is still right.
    pub(crate) fn maximum(&self) -> usize {
        *self.0.end()
    }

    /// Returns whether no event is wanted.
    pub(crate) fn is_never(&self) -> bool {
        self.maximum() == 0
    }
}

impl Times {
    /// Reads a number, or a text, of a scenario.
    ///
    /// # Errors
    /// Returns what is wrong with the value.
    pub(crate) fn from_json(value: &Value) -> Result<Self, String> {
        let text = match value {
            Value::String(text) => text.clone(),
            other => other.to_string(),
        };
        text.parse()
            .map_err(|error: InvalidTimes| error.to_string())
    }
}

impl Default for Times {
    fn default() -> Self {
        Self::ONCE
    }
}

impl From<usize> for Times {
    fn from(count: usize) -> Self {
        Self::exactly(count)
    }
}

impl FromStr for Times {
    type Err = InvalidTimes;

    fn from_str(text: &str) -> Result<Self, InvalidTimes> {
        if text == "any" {
            return Ok(Self::ANY);
        }
        let malformed = || InvalidTimes::Malformed(text.to_owned());
        let number = |text: &str| count(text).ok_or_else(malformed);
        let Some((from, to)) = text.split_once("..") else {
            return number(text).map(Self::exactly);
        };
        let from = number(from)?;
        let to = number(to)?;
        if to < from {
            return Err(InvalidTimes::Empty(from, to));
        }
        Ok(Self(from..=to))
    }
}

/// Reads digits only: the parser of numbers would also take a `+`.
fn count(text: &str) -> Option<usize> {
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse().ok().filter(|_| digits)
}

impl fmt::Display for Times {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let least = self.minimum();
        let most = self.maximum();
        if *self == Self::ANY {
            f.write_str("any")
        } else if least == most {
            write!(f, "{least}")
        } else {
            write!(f, "{least}..{most}")
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    #[test]
    fn a_text_is_a_number_a_range_or_any() {
        assert_eq!("2".parse(), Ok(Times::exactly(2)));
        assert_eq!("0".parse(), Ok(Times::NEVER));
        assert_eq!("1..3".parse(), Ok(Times(1..=3)));
        assert_eq!("any".parse(), Ok(Times::ANY));
        assert!("0".parse::<Times>().unwrap().is_never());
        assert!(!"0..1".parse::<Times>().unwrap().is_never());
    }

    #[test]
    fn a_scenario_has_a_number_or_a_text() {
        assert_eq!(Times::from_json(&json!(2)), Ok(Times::exactly(2)));
        assert_eq!(Times::from_json(&json!("1..2")), Ok(Times(1..=2)));
        for value in [json!(-1), json!(1.5), json!(null), json!([1]), json!(true)] {
            assert!(Times::from_json(&value).is_err(), "{value}");
        }
    }

    #[test]
    fn another_text_is_refused_with_its_cure() {
        for text in [
            "", "-1", "+1", "1.5", "1..", "..3", "1..=3", "1...3", "once", " 1", "1e3",
        ] {
            let error = text.parse::<Times>().unwrap_err();
            assert!(error.to_string().contains("1..3 or any"), "{text}: {error}");
        }
        let error = "3..1".parse::<Times>().unwrap_err().to_string();
        assert_eq!(error, "3..1 is empty: did you mean 1..3?");
        assert!("99999999999999999999999".parse::<Times>().is_err());
    }

    proptest! {
        #[test]
        fn what_is_printed_is_read_again(from in 0..9_usize, more in 0..9_usize) {
            let times = Times(from..=from + more);
            prop_assert_eq!(times.to_string().parse(), Ok(times));
        }

        #[test]
        fn no_text_panics(text in "[0-9.any+-]{0,8}") {
            let _ = text.parse::<Times>();
        }
    }
}

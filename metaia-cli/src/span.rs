//! Durations on the command line: `500ms`, `1.5s`, `30s`, `5m`, `2h`, `7d`; a bare number means
//! seconds.

use std::time::Duration;

const EXPECTED: &str = "expected a number with ms, s, m, h or d, such as 500ms or 30s";

/// Parses a duration.
pub(crate) fn parse(text: &str) -> Result<Duration, String> {
    let unit_starts = text
        .find(|c: char| !c.is_ascii_digit() && c != '.')
        .unwrap_or(text.len());
    let (number, unit) = text.split_at(unit_starts);
    let ms_per_unit = match unit {
        "ms" => 1,
        "" | "s" => 1_000,
        "m" | "min" => 60_000,
        "h" => 3_600_000,
        "d" => 86_400_000,
        _ => return Err(EXPECTED.to_owned()),
    };
    let (whole, fraction) = number.split_once('.').unwrap_or((number, "0"));
    let whole: u64 = whole.parse().map_err(|_| EXPECTED.to_owned())?;
    let part = part_of(fraction, ms_per_unit).ok_or(EXPECTED)?;
    let ms = whole.checked_mul(ms_per_unit);
    match ms.and_then(|ms| ms.checked_add(part)) {
        Some(ms) => Ok(Duration::from_millis(ms)),
        None => Err("the duration is too long".to_owned()),
    }
}

/// Returns the milliseconds of the digits behind the point of a unit; `None` if they are none, or
/// more than a millisecond needs.
fn part_of(digits: &str, ms_per_unit: u64) -> Option<u64> {
    let count = u32::try_from(digits.len()).ok()?;
    let number: u64 = digits.parse().ok()?;
    let per_unit = 10_u64.checked_pow(count)?;
    let ms = number.checked_mul(ms_per_unit)?;
    ms.is_multiple_of(per_unit).then_some(ms / per_unit)
}

/// Parses a duration in which something can happen.
pub(crate) fn parse_positive(text: &str) -> Result<Duration, String> {
    let span = parse(text)?;
    if span.is_zero() {
        return Err("nothing happens in no time; use 1s or more".to_owned());
    }
    Ok(span)
}

/// Formats seconds in the largest unit of which there are at least two.
pub(crate) fn rough(seconds: u64) -> String {
    match seconds {
        0..120 => format!("{seconds} s"),
        120..7_200 => format!("{} min", seconds / 60),
        7_200..172_800 => format!("{} h", seconds / 3_600),
        _ => format!("{} d", seconds / 86_400),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn every_unit_is_parsed() {
        let ms = |text| parse(text).map(|span| span.as_millis());
        assert_eq!(
            ["5ms", "3", "3s", "2m", "1h", "1d"].map(ms),
            [5, 3_000, 3_000, 120_000, 3_600_000, 86_400_000].map(Ok)
        );
    }

    #[test]
    fn a_part_of_a_unit_is_parsed() {
        let ms = |text| parse(text).map(|span| span.as_millis());
        assert_eq!(
            ["0.3s", "1.0s", "1.5", "0.5m", "1.25h", "0.001s"].map(ms),
            [300, 1_000, 1_500, 30_000, 4_500_000, 1].map(Ok)
        );
    }

    #[test]
    fn an_invalid_duration_is_refused() {
        for text in [
            "",
            "s",
            "1w",
            "-1s",
            ".5s",
            "1.s",
            "1.2.3s",
            "0.0001s",
            "1.5ms",
            "99999999999999999999s",
            "18446744073709551615d",
            "1é",
        ] {
            assert!(parse(text).is_err(), "{text:?}");
        }
    }

    #[test]
    fn no_time_is_no_positive_duration() {
        assert_eq!(parse_positive("1ms"), Ok(Duration::from_millis(1)));
        assert!(parse_positive("0").is_err());
        assert!(parse_positive("0ms").is_err());
        assert!(parse_positive("x").is_err());
    }

    #[test]
    fn seconds_are_shown_roughly() {
        assert_eq!(
            [5, 180, 7_200, 200_000].map(rough),
            ["5 s", "3 min", "2 h", "2 d"]
        );
    }

    proptest! {
        #[test]
        fn no_text_panics(text in any::<String>()) {
            let _ = parse(&text);
        }
    }
}

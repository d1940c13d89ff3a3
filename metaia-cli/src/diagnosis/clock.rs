//! The difference between the server's clock and this machine's, by the header `Date`.

use time::PrimitiveDateTime;
use time::macros::format_description;

use crate::span;

/// A smaller difference counts as none: `Date` is in whole seconds, and an answer takes a while.
const TOLERANCE_MS: i64 = 2_000;

/// Returns how far the server's clock is ahead of this machine's, in milliseconds; `None` if the
/// clocks agree, or if the date cannot be read.
pub(crate) fn server_ahead_ms(date: &str, read_at: i64) -> Option<i64> {
    let format = format_description!(
        "[weekday repr:short], [day] [month repr:short] [year] [hour]:[minute]:[second] GMT"
    );
    let date = PrimitiveDateTime::parse(date, &format).ok()?;
    let second_ms = date.assume_utc().unix_timestamp().checked_mul(1_000)?;
    // The middle of the second that the header names.
    let ahead = second_ms.checked_add(500)?.checked_sub(read_at)?;
    (ahead.abs() > TOLERANCE_MS).then_some(ahead)
}

/// Describes a difference of the clocks.
pub(crate) fn difference(server_ahead_ms: i64) -> String {
    let seconds = (server_ahead_ms.unsigned_abs() + 500) / 1_000;
    // `Date` is a second too early or too late: 9 min 59 s are 10 min.
    let rounded = if seconds < 120 {
        seconds
    } else {
        (seconds + 30) / 60 * 60
    };
    let span = span::rough(rounded);
    let side = if server_ahead_ms > 0 {
        "behind"
    } else {
        "ahead of"
    };
    format!("this machine's clock is {span} {side} the server's")
}

#[cfg(test)]
mod tests {
    use super::*;

    const DATE: &str = "Tue, 14 Nov 2023 22:13:20 GMT";
    const DATE_MS: i64 = 1_700_000_000_000;

    #[test]
    fn a_date_tells_the_difference_of_the_clocks() {
        for (read_at, expected) in [
            (DATE_MS, None),
            (DATE_MS + 2_000, None),
            (DATE_MS - 1_000, None),
            (DATE_MS + 600_500, Some(-600_000)),
            (DATE_MS - 3_899_500, Some(3_900_000)),
            (i64::MIN, None),
        ] {
            assert_eq!(server_ahead_ms(DATE, read_at), expected, "{read_at}");
        }
        for text in ["", "now", "Tue, 14 Nov 2023 22:13:20 CET"] {
            assert_eq!(server_ahead_ms(text, 0), None, "{text:?}");
        }
    }

    #[test]
    fn a_difference_is_a_sentence() {
        assert_eq!(
            difference(3_900_000),
            "this machine's clock is 65 min behind the server's"
        );
        assert_eq!(
            difference(-599_400),
            "this machine's clock is 10 min ahead of the server's"
        );
    }
}

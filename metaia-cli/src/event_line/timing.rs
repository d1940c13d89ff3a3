//! The last column: the time from commit to receipt, and whether the event was replayed.

use super::phrase::{Phrase, Tone};

const SECOND: i64 = 1_000;
const MINUTE: i64 = 60 * SECOND;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;

/// Marks an event that was missed, and sent later.
const REPLAYED: &str = "↻";

/// Returns the latency of a live event, or how late a replayed one came. An event that was not
/// stored has none.
pub(super) fn timing(latency_ms: Option<i64>, replayed: bool) -> Phrase {
    match (latency_ms, replayed) {
        (None, false) => Phrase::default(),
        (None, true) => Phrase::new(Tone::Warn, REPLAYED),
        (Some(ms), false) => Phrase::new(Tone::Dim, &span(ms, " ")),
        (Some(ms), true) => Phrase::new(Tone::Warn, &format!("{REPLAYED}{}", span(ms, ""))),
    }
}

/// Formats a time in four digits or fewer.
fn span(ms: i64, space: &str) -> String {
    let limit = |unit: i64| ms.saturating_abs() < 100 * unit;
    if ms.saturating_abs() < SECOND {
        format!("{ms}{space}ms")
    } else if limit(SECOND) {
        let tenths = ms / 100;
        let sign = if ms < 0 { "-" } else { "" };
        let tenths = tenths.abs();
        format!("{sign}{}.{}{space}s", tenths / 10, tenths % 10)
    } else if limit(MINUTE) {
        format!("{}{space}min", ms / MINUTE)
    } else if limit(HOUR) {
        format!("{}{space}h", ms / HOUR)
    } else {
        format!("{}{space}d", ms / DAY)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_latency_has_the_unit_that_is_read_at_once() {
        let said = |ms| timing(Some(ms), false).text();
        assert_eq!(
            [0, 5, 999, 1_000, 2_345, 99_999].map(said),
            ["0 ms", "5 ms", "999 ms", "1.0 s", "2.3 s", "99.9 s"]
        );
        assert_eq!(
            [100_000, 3 * HOUR, 200 * HOUR, 400 * DAY].map(said),
            ["1 min", "3 h", "8 d", "400 d"]
        );
        assert_eq!([-3, -1_250, i64::MIN].map(said)[..2], ["-3 ms", "-1.2 s"]);
    }

    #[test]
    fn a_replayed_event_shows_how_late_it_came() {
        let said = |ms| timing(ms, true).text();
        assert_eq!(said(Some(2_345)), "↻2.3s");
        assert_eq!(said(Some(59)), "↻59ms");
        assert_eq!(said(Some(45 * MINUTE)), "↻45min");
        assert_eq!(said(None), "↻");
        assert!(timing(None, false).is_empty());
    }
}

//! The results, as they are printed.

use std::fmt::Write as _;
use std::time::Duration;

use serde::Serialize;
use serde_json::Value;

use super::grid::{AccessGrid, CellDifference};
use super::layout::table;
use super::replaced::AccessTimes;
use super::subject::Subject;
use crate::exit::Exit;
use crate::printer::{Paint, Report};

/// The comparison with a golden file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) enum GoldenResult {
    Equal,
    Differs,
    Written,
    /// Cells could not be measured: otherwise it is equal.
    Incomplete,
    /// Cells could not be measured, so that it was not replaced.
    NotWritten,
}

/// A row, for programs.
#[derive(Debug, Serialize)]
#[serde(transparent)]
pub(super) struct RowReport {
    row: Value,
}

/// Everything but the rows, for programs; and everything, for people.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct MatrixReport {
    #[serde(skip)]
    pub(super) grid: AccessGrid,
    /// The width of the table.
    #[serde(skip)]
    pub(super) columns: usize,
    pub(super) golden: Option<GoldenResult>,
    #[serde(skip)]
    pub(super) golden_file: String,
    pub(super) differences: Vec<CellDifference>,
    pub(super) unmeasured: Vec<String>,
    pub(super) access_lost_ms: Option<u64>,
    pub(super) access_gained_ms: Option<u64>,
    pub(super) within_ms: u64,
}

impl RowReport {
    /// Returns the reports of all rows.
    pub(super) fn of(grid: &AccessGrid) -> Vec<Self> {
        let rows = grid.rows.iter();
        rows.map(|row| Self {
            row: row.json(&grid.subjects),
        })
        .collect()
    }
}

impl Report for RowReport {
    fn text(&self, _paint: Paint) -> String {
        self.row.to_string()
    }
}

impl MatrixReport {
    /// Creates a report without a comparison.
    pub(super) fn new(grid: AccessGrid, times: AccessTimes, within: Duration) -> Self {
        let ms = |time: Duration| u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
        Self {
            unmeasured: grid.unmeasured(),
            grid,
            columns: usize::MAX,
            golden: None,
            golden_file: String::new(),
            differences: Vec::new(),
            access_lost_ms: times.lost.map(ms),
            access_gained_ms: times.gained.map(ms),
            within_ms: ms(within),
        }
    }

    /// Returns the exit code: 6 for a difference, and for access that did not change in time;
    /// otherwise 1 if cells could not be measured.
    pub(super) fn exit(&self) -> Exit {
        let is_in_time = self.access_lost_ms.is_some() && self.access_gained_ms.is_some();
        match is_in_time && self.differences.is_empty() {
            true if self.unmeasured.is_empty() => Exit::Ok,
            true => Exit::Failed,
            false => Exit::Unexpected,
        }
    }

    fn times(&self, paint: Paint) -> String {
        let within = self.within_ms;
        let line = |did: &str, did_not: &str, ms: Option<u64>| match ms {
            Some(ms) => format!("{} {did} after {ms} ms", paint.good("✓")),
            None => format!("{} {did_not} within {within} ms", paint.bad("✗")),
        };
        let lost = line(
            "the replaced tailor lost the room",
            "the replaced tailor did not lose the room",
            self.access_lost_ms,
        );
        let gained = line(
            "the new tailor could join it",
            "the new tailor could not join it",
            self.access_gained_ms,
        );
        format!("{lost}\n{gained}")
    }

    /// Names the cells that could not be measured.
    fn unmeasured_cells(&self, paint: Paint) -> Option<String> {
        if self.unmeasured.is_empty() {
            return None;
        }
        let count = self.unmeasured.len();
        let cells = self.unmeasured.join("\n  ");
        let mark = paint.bad("✗");
        Some(format!(
            "{mark} {count} could not be measured: the server was busy, or failed:\n  {cells}\n  \
             → wait a minute, then measure again; its log says more"
        ))
    }

    fn comparison(&self, paint: Paint) -> Option<String> {
        let file = &self.golden_file;
        let mut text = match self.golden? {
            GoldenResult::Equal => format!("{} equal to {file}", paint.good("✓")),
            GoldenResult::Written => format!("{} written to {file}", paint.good("✓")),
            GoldenResult::Differs => {
                let count = self.differences.len();
                format!("{} {count} other than in {file}:", paint.bad("✗"))
            }
            GoldenResult::Incomplete => {
                format!("{} what was measured is equal to {file}", paint.good("✓"))
            }
            GoldenResult::NotWritten => format!("{} {file} is not written", paint.bad("✗")),
        };
        for difference in &self.differences {
            // A `String` takes everything.
            let _ = write!(text, "\n  {difference}");
        }
        Some(text)
    }
}

impl Report for MatrixReport {
    fn text(&self, paint: Paint) -> String {
        let table = table(&self.grid, &self.differences, self.columns, paint);
        let mut parts = vec![table, self.times(paint)];
        parts.extend(self.unmeasured_cells(paint));
        parts.extend(self.comparison(paint));
        if self.grid.subjects.contains(&Subject::Backend) {
            return parts.join("\n\n");
        }
        parts.push("not measured: backend, as METAIA_API_KEY is not set".to_owned());
        parts.join("\n\n")
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::cell::CellValue;
    use super::super::grid::fixture::grid;
    use super::*;

    const IN_TIME: AccessTimes = AccessTimes {
        lost: Some(Duration::from_millis(12)),
        gained: Some(Duration::from_millis(9)),
    };

    fn report(times: AccessTimes) -> MatrixReport {
        let mut report = MatrixReport::new(grid(), times, Duration::from_secs(5));
        report.columns = 80;
        report
    }

    #[test]
    fn access_that_is_not_lost_in_time_is_unexpected() {
        assert_eq!(report(IN_TIME).exit(), Exit::Ok);
        let late = report(AccessTimes::default());
        assert_eq!(late.exit(), Exit::Unexpected);
        insta::assert_snapshot!(late.times(Paint::PLAIN), @r"
        ✗ the replaced tailor did not lose the room within 5000 ms
        ✗ the new tailor could not join it within 5000 ms
        ");
    }

    #[test]
    fn a_difference_is_told_with_its_file() {
        let mut report = report(IN_TIME);
        let mut expected = grid();
        expected.rows[1].cells[2] = CellValue::Allowed;
        report.differences = expected.differences(&report.grid);
        report.golden = Some(GoldenResult::Differs);
        report.golden_file = "matrix.golden.md".to_owned();
        assert_eq!(report.exit(), Exit::Unexpected);
        insta::assert_snapshot!(report.comparison(Paint::PLAIN).unwrap(), @r"
        ✗ 1 other than in matrix.golden.md:
          Orders, read the order, other customer: expected allowed, found hidden
        ");
        let difference = json!({
            "section": "Orders",
            "row": "read the order",
            "subject": "other customer",
            "expected": "allowed",
            "found": "hidden",
        });
        let expected = json!({
            "golden": "differs",
            "differences": [difference],
            "unmeasured": [],
            "accessLostMs": 12,
            "accessGainedMs": 9,
            "withinMs": 5000,
        });
        assert_eq!(serde_json::to_value(&report).unwrap(), expected);
    }

    #[test]
    fn what_could_not_be_measured_is_a_failure_and_no_difference() {
        let mut found = grid();
        found.rows[1].cells[2] = CellValue::of_status(429, "wrong_key", &[]);
        let report = MatrixReport::new(found, IN_TIME, Duration::from_secs(5));
        assert_eq!(report.exit(), Exit::Failed);
        insta::assert_snapshot!(report.unmeasured_cells(Paint::PLAIN).unwrap(), @r"
        ✗ 1 could not be measured: the server was busy, or failed:
          Orders, read the order, other customer: ? HTTP 429 wrong_key
          → wait a minute, then measure again; its log says more
        ");
    }
}

//! Annotations for GitHub Actions, and a table for the summary of its job.

use std::io::Write as _;

use super::junit::message;
use super::results::{CaseResult, Status, Totals};
use crate::exit::{Exit, Failure};

/// Returns an annotation for each case that did not pass; they mark the line of the file.
pub(super) fn annotations(results: &[CaseResult]) -> Vec<String> {
    let failures = results.iter().filter_map(|result| {
        let failure = result.attempts.last()?.failure.as_ref()?;
        let spot = failure.spot();
        Some(format!(
            "::error file={},line={},col={},title={}::{}",
            property(&spot.file.path.display().to_string()),
            spot.position.line,
            spot.position.column,
            property(&result.title()),
            data(&message(failure)),
        ))
    });
    failures.collect()
}

/// Appends a table of the results to the file that GitHub names.
pub(super) fn append_summary(path: &str, results: &[CaseResult]) -> Result<(), Failure> {
    let failed = |error| {
        Failure::new(Exit::Failed, "GITHUB_STEP_SUMMARY cannot be written").caused_by(error)
    };
    let mut file = std::fs::OpenOptions::new()
        .create(true)
        .append(true)
        .open(path)
        .map_err(failed)?;
    file.write_all(summary(results).as_bytes()).map_err(failed)
}

pub(super) fn summary(results: &[CaseResult]) -> String {
    let totals = Totals::of(results);
    let mut text = format!(
        "### metaia test: {} passed, {} failed\n\n| | scenario | time |\n|---|---|---|\n",
        totals.passed + totals.flaky,
        totals.failed + totals.errors,
    );
    for result in results {
        let sign = match result.status() {
            Status::Passed => "✅",
            Status::Flaky => "⚠️ flaky",
            Status::Failed => "❌",
            Status::Error => "❗ not judged",
            Status::Skipped => "➖",
            Status::LacksTokens => "❗ not run",
        };
        let title = result.title().replace('|', "\\|").replace('\n', " ");
        let seconds = result.took().as_secs_f64();
        text += &format!("| {sign} | {title} | {seconds:.2} s |\n");
    }
    text
}

/// Escapes the value of a property of an annotation.
fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}

/// Escapes the text of an annotation.
fn data(text: &str) -> String {
    text.replace('%', "%25")
        .replace('\r', "%0D")
        .replace('\n', "%0A")
}

//! The results as JUnit XML: one suite for each file, one case for each case of its scenario.

use std::collections::BTreeMap;
use std::path::Path;

use quick_junit::{NonSuccessKind, Report, TestCase, TestCaseStatus, TestRerun, TestSuite};

use super::failure_report;
use super::results::{CaseResult, Status};
use crate::exit::{Exit, Failure};
use crate::printer::Paint;
use crate::scenario::StepFailure;

/// The width of the texts in the report.
const WIDTH: usize = 140;

/// Writes the file.
pub(super) fn write(path: &Path, results: &[CaseResult], server: &str) -> Result<(), Failure> {
    let named = path.display();
    let xml = xml(results, server)?;
    std::fs::write(path, xml).map_err(|error| {
        Failure::new(Exit::Failed, format!("{named} cannot be written")).caused_by(error)
    })
}

/// Returns the text of the file.
pub(super) fn xml(results: &[CaseResult], server: &str) -> Result<String, Failure> {
    report(results, server).to_string().map_err(|error| {
        Failure::new(Exit::Failed, "the results cannot be written as XML").caused_by(error)
    })
}

fn report(results: &[CaseResult], server: &str) -> Report {
    let mut suites: BTreeMap<&str, TestSuite> = BTreeMap::new();
    for result in results {
        let suite = suites
            .entry(&result.file)
            .or_insert_with(|| TestSuite::new(result.file.as_str()));
        suite.add_test_case(case(result, server));
    }
    let mut report = Report::new("metaia test");
    report.add_test_suites(suites.into_values());
    report
}

fn case(result: &CaseResult, server: &str) -> TestCase {
    let mut case = TestCase::new(result.title(), status(result));
    case.set_classname(result.file.as_str());
    case.set_time(result.took());
    if let Some(text) = failure_report::text(result, server, WIDTH, Paint::PLAIN) {
        case.set_system_out(text);
    }
    case
}

fn status(result: &CaseResult) -> TestCaseStatus {
    let last = result.attempts.last();
    let failure = last.and_then(|last| last.failure.as_ref());
    let mut status = match (result.status(), failure) {
        (Status::Skipped | Status::LacksTokens, _) => {
            let mut skipped = TestCaseStatus::skipped();
            if let Some(reason) = result.skipped.as_ref().or(result.lacks_tokens.as_ref()) {
                skipped.set_message(reason.as_str());
            }
            return skipped;
        }
        (_, Some(failure)) => unsuccessful(failure),
        (_, None) => TestCaseStatus::success(),
    };
    let earlier = result.attempts.iter().rev().skip(1).rev();
    for attempt in earlier {
        if let Some(failure) = &attempt.failure {
            let mut rerun = TestRerun::new(kind(failure));
            rerun
                .set_time(attempt.took)
                .set_type(failure_report::kind(failure))
                .set_message(message(failure));
            status.add_rerun(rerun);
        }
    }
    status
}

fn unsuccessful(failure: &StepFailure) -> TestCaseStatus {
    let mut status = TestCaseStatus::non_success(kind(failure));
    status
        .set_type(failure_report::kind(failure))
        .set_message(message(failure));
    status
}

fn kind(failure: &StepFailure) -> NonSuccessKind {
    match failure {
        StepFailure::Failed(_) => NonSuccessKind::Failure,
        StepFailure::Unjudged(_) => NonSuccessKind::Error,
    }
}

/// Returns the reason in one line, with its place.
pub(super) fn message(failure: &StepFailure) -> String {
    let spot = failure.spot();
    let reason = match failure {
        StepFailure::Failed(shortfall) => shortfall.unmet.label.clone(),
        StepFailure::Unjudged(unjudged) => unjudged.failure.chain(),
    };
    format!("{}: {reason}", spot.file.line(&spot.position))
}

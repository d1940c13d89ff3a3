//! The texts about results: lines, the report of a failure, JUnit, GitHub.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use crate::exit::{Exit, Failure};
use crate::printer::{Paint, Report as _};
use crate::scenario::{Spot, StepFailure, StepRecord};
use crate::source_file::{FilePosition, SourceFile};
use crate::verdict::{Unmet, UnmetKind};

use super::moments::{Lane, Moment};
use super::results::{Attempt, CaseResult, Status, Totals};
use super::{failure_report, github, junit, runner};

const TEXT: &str = "\
scenario: a tailor who is replaced stops receiving
people: { boss: admin, old: tailor }
steps:
  - move: { as: boss, order: $order, to: ready }
  - expect:
      - { as: old, never: \"*\" }
";

fn spot() -> Spot {
    let file = SourceFile {
        path: PathBuf::from("qa/replaced.yaml"),
        text: TEXT.to_owned(),
    };
    let start = TEXT.find("\"*\"").unwrap();
    let position = FilePosition {
        line: 6,
        column: 27,
        bytes: start..start + 3,
    };
    Spot {
        file: Arc::new(file),
        position,
    }
}

fn unmet() -> StepFailure {
    let unmet = Unmet::new(UnmetKind::Never, "1 event came to old that must not");
    let line = "  +66 ms  order_update  {\"status\":\"ready\"}".to_owned();
    StepFailure::failed(unmet.details([line]), spot())
}

fn unjudged() -> StepFailure {
    let failure = Failure::new(Exit::Unreachable, "no program listens there");
    StepFailure::unjudged(spot(), failure.hint("check that the server is running"))
}

fn moment(ms: u64, text: &str) -> Moment {
    Moment {
        at: Duration::from_millis(ms),
        text: text.to_owned(),
    }
}

fn record(number: usize, label: &str, began: u64, ended: u64) -> StepRecord {
    StepRecord {
        number,
        label: label.to_owned(),
        began: Duration::from_millis(began),
        ended: Duration::from_millis(ended),
    }
}

fn attempt(failure: Option<StepFailure>) -> Attempt {
    let lanes = vec![
        Lane {
            name: "boss-7f3a".into(),
            moments: vec![
                moment(3, "· live"),
                moment(35, "order_update"),
                moment(64, "order_update"),
            ],
        },
        Lane {
            name: "old-7f3a".into(),
            moments: vec![
                moment(3, "· live"),
                moment(65, "order_update"),
                moment(66, "日本語_🧵 ↻"),
            ],
        },
    ];
    Attempt {
        run: "7f3a".into(),
        failure,
        took: Duration::from_millis(440),
        records: vec![
            record(1, "assign $new", 30, 38),
            record(2, "move → ready", 60, 61),
        ],
        lanes,
        judged: 3,
    }
}

fn result(attempts: Vec<Attempt>) -> CaseResult {
    CaseResult {
        scenario: 0,
        name: "a tailor who is replaced stops receiving".into(),
        file: "qa/replaced.yaml".into(),
        case: String::new(),
        attempts,
        variables: String::new(),
        skipped: None,
        lacks_tokens: None,
    }
}

fn results() -> Vec<CaseResult> {
    let skipped = CaseResult {
        skipped: Some("it needs --var server_pid=…".into()),
        name: "a | pipe: 5 %, and more".into(),
        ..result(Vec::new())
    };
    vec![
        result(vec![attempt(None)]),
        CaseResult {
            case: "device, polling".into(),
            ..result(vec![attempt(Some(unmet())), attempt(None)])
        },
        result(vec![attempt(Some(unmet()))]),
        result(vec![attempt(Some(unjudged()))]),
        skipped,
    ]
}

#[test]
fn each_status_has_its_line() {
    let lines: Vec<String> = results().iter().map(|one| one.text(Paint::PLAIN)).collect();
    insta::assert_snapshot!(lines.join("\n"), @"
    ✓ a tailor who is replaced stops receiving  0.44 s
    ~ a tailor who is replaced stops receiving (device, polling)  flaky: passed at attempt 2  0.88 s
    ✗ a tailor who is replaced stops receiving  0.44 s
    ! a tailor who is replaced stops receiving  could not be judged  0.44 s
    - a | pipe: 5 %, and more  skipped: it needs --var server_pid=…
    ");
    let totals = Totals::of(&results()).text(Duration::from_secs(3), "http://h");
    insta::assert_snapshot!(totals, @"1 passed, 1 flaky, 1 failed, 1 could not be judged, 1 skipped (15 expectations judged) in 3.0 s on http://h");
}

#[test]
fn a_result_is_one_object() {
    let failed = serde_json::to_string(&results()[2]).unwrap();
    insta::assert_snapshot!(failed);
}

#[test]
fn a_failure_shows_the_place_what_came_and_who_got_what() {
    let failed = result(vec![attempt(Some(unmet()))]);
    let text = failure_report::text(&failed, "http://h", 80, Paint::PLAIN).unwrap();
    insta::assert_snapshot!(text);
}

#[test]
fn what_could_not_be_judged_says_why() {
    let failed = result(vec![attempt(Some(unjudged()))]);
    let text = failure_report::text(&failed, "http://h", 120, Paint::PLAIN).unwrap();
    insta::assert_snapshot!(text);
    let passed = result(vec![attempt(None)]);
    assert_eq!(
        failure_report::text(&passed, "http://h", 80, Paint::PLAIN),
        None
    );
}

#[test]
fn junit_tells_failures_errors_reruns_and_skipped_ones_apart() {
    insta::assert_snapshot!(junit::xml(&results(), "http://h").unwrap());
}

#[test]
fn github_marks_the_line_and_gets_a_table() {
    let annotations = github::annotations(&results()).join("\n");
    insta::assert_snapshot!(annotations);
    insta::assert_snapshot!(github::summary(&results()));
}

#[test]
fn an_unmet_expectation_decides_the_exit_code() {
    assert_eq!(runner::exit(&results()), Exit::Unexpected);
    assert_eq!(runner::exit(&[result(vec![attempt(None)])]), Exit::Ok);
    let error = result(vec![attempt(Some(unjudged()))]);
    assert_eq!(error.status(), Status::Error);
    assert_eq!(runner::exit(&[error]), Exit::Unreachable);
}

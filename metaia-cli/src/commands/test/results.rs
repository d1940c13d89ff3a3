//! The results of scenarios.

use std::time::Duration;

use serde::Serialize;
use serde_json::{Value, json};

use super::moments::Lane;
use crate::exit::Exit;
use crate::printer::{Paint, Report};
use crate::scenario::{Plan, StepFailure, StepRecord};
use crate::terminal::one_line;

/// One attempt at one case.
#[derive(Debug)]
pub(super) struct Attempt {
    /// The ending of user ids.
    pub(super) run: String,
    pub(super) failure: Option<StepFailure>,
    pub(super) took: Duration,
    pub(super) records: Vec<StepRecord>,
    pub(super) lanes: Vec<Lane>,
    /// The number of expectations that were judged.
    pub(super) judged: usize,
}

/// The result of one case.
#[derive(Debug)]
pub(super) struct CaseResult {
    /// The number of the scenario among those that were selected.
    pub(super) scenario: usize,
    pub(super) name: String,
    pub(super) file: String,
    /// The case of the matrix, and the repetition if there are several.
    pub(super) case: String,
    pub(super) attempts: Vec<Attempt>,
    /// The options that set its variables, each with a blank before it.
    pub(super) variables: String,
    /// The reason why it was not run.
    pub(super) skipped: Option<String>,
    /// The reason why it cannot be run with the tokens of the context in use.
    pub(super) lacks_tokens: Option<String>,
}

/// The end of a case.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Status {
    Passed,
    /// Passed, but not at once.
    Flaky,
    Failed,
    /// It could not be judged.
    Error,
    Skipped,
    /// There are no tokens for it, so that it was not run.
    LacksTokens,
}

impl Status {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Passed => "passed",
            Self::Flaky => "flaky",
            Self::Failed => "failed",
            Self::Error => "error",
            Self::Skipped => "skipped",
            Self::LacksTokens => "not_run",
        }
    }
}

impl CaseResult {
    pub(super) fn status(&self) -> Status {
        if self.lacks_tokens.is_some() {
            return Status::LacksTokens;
        }
        let Some(last) = self.attempts.last() else {
            return Status::Skipped;
        };
        match &last.failure {
            None if self.attempts.len() > 1 => Status::Flaky,
            None => Status::Passed,
            Some(StepFailure::Failed(_)) => Status::Failed,
            Some(StepFailure::Unjudged(_)) => Status::Error,
        }
    }

    /// Returns the exit code. A case that was to be run and cannot be is no success.
    pub(super) fn exit(&self) -> Exit {
        if self.lacks_tokens.is_some() {
            return Exit::Usage;
        }
        let last = self.attempts.last().and_then(|last| last.failure.as_ref());
        last.map_or(Exit::Ok, StepFailure::exit)
    }

    /// Returns the name, with its case if there are several.
    pub(super) fn title(&self) -> String {
        if self.case.is_empty() {
            return self.name.clone();
        }
        format!("{} ({})", self.name, self.case)
    }

    pub(super) fn took(&self) -> Duration {
        self.attempts.iter().map(|attempt| attempt.took).sum()
    }
}

impl Report for CaseResult {
    fn text(&self, paint: Paint) -> String {
        let seconds = format!("{:.2} s", self.took().as_secs_f64());
        let title = self.title();
        let title = one_line(&title);
        match self.status() {
            Status::Passed => format!("{} {title}  {}", paint.good("✓"), paint.dim(&seconds)),
            Status::Flaky => {
                let attempts = self.attempts.len();
                let flaky = format!("flaky: passed at attempt {attempts}");
                format!(
                    "{} {title}  {}  {seconds}",
                    paint.warn("~"),
                    paint.warn(&flaky)
                )
            }
            Status::Failed => format!("{} {title}  {}", paint.bad("✗"), paint.dim(&seconds)),
            Status::Error => {
                let text = paint.bad("could not be judged");
                format!(
                    "{} {title}  {text}  {}",
                    paint.bad("!"),
                    paint.dim(&seconds)
                )
            }
            Status::Skipped => {
                let reason = self.skipped.as_deref().unwrap_or("not run");
                format!("- {title}  {}", paint.dim(&format!("skipped: {reason}")))
            }
            Status::LacksTokens => {
                let reason = self.lacks_tokens.as_deref().unwrap_or_default();
                let text = format!("not run: {}", one_line(reason));
                format!("{} {title}  {}", paint.bad("!"), paint.warn(&text))
            }
        }
    }
}

impl Serialize for CaseResult {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut line = json!({
            "scenario": self.name,
            "file": self.file,
            "status": self.status().name(),
            "ms": u64::try_from(self.took().as_millis()).unwrap_or(u64::MAX),
            "attempts": self.attempts.len(),
        });
        if !self.case.is_empty() {
            line["case"] = json!(self.case);
        }
        if let Some(reason) = self.skipped.as_ref().or(self.lacks_tokens.as_ref()) {
            line["reason"] = json!(reason);
        }
        if let Some(last) = self.attempts.last() {
            line["run"] = json!(last.run);
            line["judged"] = json!(last.judged);
            if let Some(failure) = &last.failure {
                line["failure"] = failure_json(failure);
            }
        }
        line.serialize(serializer)
    }
}

fn failure_json(failure: &StepFailure) -> Value {
    let spot = failure.spot();
    let mut json = json!({
        "line": spot.position.line,
        "column": spot.position.column,
        "path": spot.file.path.display().to_string(),
        "exit": failure.exit() as u8,
    });
    match failure {
        StepFailure::Failed(shortfall) => {
            json["kind"] = json!(shortfall.unmet.kind.name());
            json["message"] = json!(shortfall.unmet.label);
            json["details"] = json!(shortfall.unmet.details);
        }
        StepFailure::Unjudged(unjudged) => {
            json["kind"] = json!("error");
            json["message"] = json!(unjudged.failure.chain());
        }
    }
    json
}

/// All results.
#[derive(Debug, Default)]
pub(super) struct Totals {
    pub(super) passed: usize,
    pub(super) flaky: usize,
    pub(super) failed: usize,
    pub(super) errors: usize,
    pub(super) skipped: usize,
    /// The cases that cannot be run with the tokens of the context in use.
    pub(super) lacking_tokens: usize,
    /// The cases that were not begun, or not ended.
    pub(super) not_run: usize,
    pub(super) judged: usize,
}

impl Totals {
    pub(super) fn of(results: &[CaseResult]) -> Self {
        let mut totals = Self::default();
        for result in results {
            match result.status() {
                Status::Passed => totals.passed += 1,
                Status::Flaky => totals.flaky += 1,
                Status::Failed => totals.failed += 1,
                Status::Error => totals.errors += 1,
                Status::Skipped => totals.skipped += 1,
                Status::LacksTokens => totals.lacking_tokens += 1,
            }
            totals.judged += result
                .attempts
                .iter()
                .map(|attempt| attempt.judged)
                .sum::<usize>();
        }
        totals
    }

    /// Returns the summary, such as `2 passed, 1 failed (31 expectations) in 4.6 s`.
    pub(super) fn text(&self, took: Duration, server: &str) -> String {
        let counts = [
            (self.passed, "passed"),
            (self.flaky, "flaky"),
            (self.failed, "failed"),
            (self.errors, "could not be judged"),
            (self.skipped, "skipped"),
            (self.lacking_tokens, "not run without tokens"),
            (self.not_run, "not run"),
        ];
        let counts = counts.iter().filter(|(count, _)| *count > 0);
        let counts: Vec<String> = counts
            .map(|(count, name)| format!("{count} {name}"))
            .collect();
        let expectations = match self.judged {
            1 => "1 expectation".to_owned(),
            n => format!("{n} expectations"),
        };
        format!(
            "{} ({expectations} judged) in {:.1} s on {server}",
            counts.join(", "),
            took.as_secs_f64()
        )
    }
}

/// A scenario of `--list`.
#[derive(Debug, Serialize)]
pub(super) struct Listed {
    scenario: String,
    file: String,
    tags: Vec<String>,
    cases: usize,
    expectations: usize,
}

impl Listed {
    pub(super) fn new(plan: &Plan) -> Self {
        Self {
            scenario: plan.name.clone(),
            file: plan.spot.file.path.display().to_string(),
            tags: plan.tags.clone(),
            cases: plan.cases.len(),
            expectations: plan.expectations,
        }
    }
}

impl Report for Listed {
    fn text(&self, paint: Paint) -> String {
        let cases = match self.cases {
            1 => String::new(),
            n => format!("  × {n}"),
        };
        let tags = match self.tags.is_empty() {
            true => String::new(),
            false => format!("  [{}]", one_line(&self.tags.join(", "))),
        };
        let file = paint.dim(&self.file);
        format!(
            "{}{cases}{}  {file}",
            one_line(&self.scenario),
            paint.dim(&tags)
        )
    }
}

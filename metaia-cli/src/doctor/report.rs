//! The report: one block of lines for each finding, and the last line.

use serde::Serialize;

use super::check::DoctorCheck;
use super::finding::{CheckState, Finding, in_ms};
use crate::event_line::wrap;
use crate::printer::{Paint, Report};
use crate::terminal::{Styles, one_line, safe};

/// The column at which the texts begin, and the width of the labels before it.
const TEXT_COLUMN: usize = 14;
const LABEL_WIDTH: usize = 10;

/// The texts of a narrower terminal begin at the third column, below their label.
const NARROW: usize = 48;
const NARROW_COLUMN: usize = 3;

/// The most characters of a text that is shown: those of a server may be long.
const MAX_CHARS: usize = 1_000;

/// One finding, for a terminal of this many columns; `None` for another reader, whose lines are
/// not wrapped.
#[derive(Debug, Serialize)]
#[serde(transparent)]
pub(crate) struct FindingLine<'a> {
    pub(crate) finding: &'a Finding,
    #[serde(skip)]
    pub(crate) columns: Option<usize>,
}

/// All findings, as one document.
#[derive(Debug, Serialize)]
#[serde(transparent)]
pub(crate) struct Findings<'a>(pub(crate) &'a [Finding]);

impl Report for FindingLine<'_> {
    fn text(&self, paint: Paint) -> String {
        let head = head(self.finding, paint);
        let is_narrow = self.columns.is_some_and(|columns| columns < NARROW);
        let column = if is_narrow {
            NARROW_COLUMN
        } else {
            TEXT_COLUMN
        };
        let limit = self
            .columns
            .map(|columns| columns.saturating_sub(column).max(1));
        let indent = " ".repeat(column);
        let lines = lines(self.finding, limit);
        let text = lines.join(&format!("\n{indent}"));
        if is_narrow {
            return format!("{}\n{indent}{text}", head.trim_end());
        }
        format!("{head}{text}")
    }
}

impl Report for Findings<'_> {
    fn text(&self, paint: Paint) -> String {
        let lines = self.0.iter().map(|finding| {
            let line = FindingLine {
                finding,
                columns: None,
            };
            line.text(paint)
        });
        lines.collect::<Vec<_>>().join("\n")
    }
}

/// Returns the mark and the label, padded.
fn head(finding: &Finding, paint: Paint) -> String {
    let mark = match finding.state {
        CheckState::Good => paint.good("✓"),
        CheckState::Warning => paint.warn("⚠"),
        CheckState::Problem(_) => paint.bad("✗"),
        CheckState::Untried => paint.dim("–"),
    };
    let label = finding.check.label();
    let missing = " ".repeat(LABEL_WIDTH.saturating_sub(label.len()));
    format!(" {mark} {}{missing} ", paint.name(label))
}

/// Returns the texts of a finding, divided into lines.
fn lines(finding: &Finding, limit: Option<usize>) -> Vec<String> {
    let mut lines = Vec::new();
    let took = took(finding).unwrap_or_default();
    push(
        &mut lines,
        "",
        &format!("{}{took}", shown(&finding.found)),
        limit,
    );
    if let Some(cause) = &finding.cause {
        push(&mut lines, "", &shown(cause), limit);
    }
    let fix = finding.fix.as_deref().unwrap_or_default();
    for (n, line) in safe(fix, Styles::None).lines().enumerate() {
        let before = if n == 0 { "→ " } else { "  " };
        push(&mut lines, before, line, limit);
    }
    lines
}

/// Returns the time that one request took. Other findings name their times themselves.
fn took(finding: &Finding) -> Option<String> {
    let took = finding.took.filter(|_| finding.state == CheckState::Good)?;
    match finding.check {
        DoctorCheck::SignIn | DoctorCheck::Delivery | DoctorCheck::Idle => None,
        _ => Some(format!(", {}", in_ms(took))),
    }
}

/// Returns a text of others in one line, or its beginning.
fn shown(text: &str) -> String {
    let text = one_line(text);
    if text.chars().nth(MAX_CHARS).is_none() {
        return text.into_owned();
    }
    let beginning: String = text.chars().take(MAX_CHARS).collect();
    format!("{beginning}…")
}

/// Adds a line, wrapped. The blanks that it begins with stay, as in a line of a configuration.
fn push(lines: &mut Vec<String>, before: &str, line: &str, limit: Option<usize>) {
    let bare = line.trim_start();
    let blanks = line.len() - bare.len();
    let Some(limit) = limit else {
        lines.push(format!("{before}{line}"));
        return;
    };
    let begin = before.chars().count() + blanks;
    let indent = " ".repeat(begin);
    for (n, piece) in wrap(bare, limit.saturating_sub(begin).max(1))
        .iter()
        .enumerate()
    {
        if n == 0 {
            lines.push(format!("{before}{}{piece}", &line[..blanks]));
        } else {
            lines.push(format!("{indent}{piece}"));
        }
    }
}

/// Returns the last line, for a terminal of this many columns.
pub(crate) fn summary(findings: &[Finding], columns: Option<usize>, paint: Paint) -> String {
    let text = counts(findings);
    let text = match columns {
        Some(columns) => wrap(&text, columns.max(1)).join("\n"),
        None => text,
    };
    if findings.iter().any(Finding::is_problem) {
        paint.bad(&text)
    } else {
        paint.good(&text)
    }
}

/// Returns the number of problems, and the first one.
fn counts(findings: &[Finding]) -> String {
    let warnings = count(findings, |finding| finding.state == CheckState::Warning);
    let warnings = counted(warnings, "warning");
    let mut problems = findings.iter().filter(|finding| finding.is_problem());
    let number = problems.clone().count();
    let first = problems
        .next()
        .and_then(|first| Some((first, first.exit()?)));
    let Some((first, exit)) = first else {
        let untried = count(findings, |finding| {
            finding.found == "not tried: interrupted"
        });
        if untried > 0 {
            return format!("interrupted: no problem until then, {warnings}");
        }
        return format!("no problem found, {warnings}");
    };
    let problems = counted(number, "problem");
    format!(
        "{problems}, {warnings}. The first one that stops this client: {}. Exit {}",
        first.check.label(),
        exit as u8
    )
}

fn count(findings: &[Finding], is_one: impl Fn(&Finding) -> bool) -> usize {
    findings.iter().filter(|finding| is_one(finding)).count()
}

fn counted(number: usize, thing: &str) -> String {
    match number {
        1 => format!("1 {thing}"),
        0 => format!("no {thing}s"),
        number => format!("{number} {thing}s"),
    }
}

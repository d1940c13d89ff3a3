//! The table of steps and of what came to each person: one column for each.

use std::time::Duration;

use console::{measure_text_width, truncate_str};

use super::moments::Lane;
use super::results::Attempt;
use crate::printer::Paint;
use crate::scenario::StepRecord;
use crate::terminal::one_line;

/// The width of a person's column.
const COLUMN: usize = 20;

/// The width of the column of steps.
const STEPS: usize = 30;

/// The steps before the failure that are shown.
const MAX_STEPS: usize = 12;

/// The lines that one step may have.
const MAX_LINES: usize = 6;

/// Formats the table. People whose columns have no space in this width are counted below it.
pub(super) fn table(attempt: &Attempt, width: usize, paint: Paint) -> Vec<String> {
    let space = width.saturating_sub(STEPS + 3) / (COLUMN + 1);
    let lanes: Vec<&Lane> = attempt.lanes.iter().take(space.max(1)).collect();
    let heads: Vec<String> = lanes.iter().map(|lane| lane.name.clone()).collect();
    let mut lines = vec![paint.dim(&row("step", &heads))];
    let hidden = attempt.records.len().saturating_sub(MAX_STEPS);
    if hidden > 0 {
        lines.push(paint.dim(&format!("   … {hidden} steps before")));
    } else {
        let first = attempt
            .records
            .first()
            .map_or(Duration::MAX, |record| record.began);
        lines.extend(rows("", &lanes, Duration::ZERO, first));
    }
    for (index, record) in attempt.records.iter().enumerate().skip(hidden) {
        let next = attempt.records.get(index + 1);
        let end = next.map_or(Duration::MAX, |next| next.began);
        lines.extend(rows(&step(record), &lanes, record.began, end));
    }
    let others = attempt.lanes.len() - lanes.len();
    if others > 0 {
        lines.push(paint.dim(&format!(
            "   and {others} people for whom this terminal is too narrow"
        )));
    }
    lines
}

fn step(record: &StepRecord) -> String {
    let ms = record.ended.as_millis();
    format!("{} {}  +{ms} ms", record.number, record.label)
}

/// Formats what came from `start` to before `end`: one line at least, unless it has no step.
fn rows(step: &str, lanes: &[&Lane], start: Duration, end: Duration) -> Vec<String> {
    let cells: Vec<Vec<String>> = lanes.iter().map(|lane| cells(lane, start, end)).collect();
    let longest = cells.iter().map(Vec::len).max().unwrap_or_default();
    let least = usize::from(!step.is_empty());
    let cell = |column: &Vec<String>, line: usize| column.get(line).cloned().unwrap_or_default();
    let lines = 0..longest.clamp(least, MAX_LINES);
    lines
        .map(|line| {
            let texts: Vec<String> = cells.iter().map(|column| cell(column, line)).collect();
            row(if line == 0 { step } else { "" }, &texts)
        })
        .collect()
}

fn cells(lane: &Lane, start: Duration, end: Duration) -> Vec<String> {
    let came = lane
        .moments
        .iter()
        .filter(|moment| moment.at >= start && moment.at < end);
    let came = came.map(|moment| moment.text.as_str());
    let mut cells: Vec<String> = came.map(|text| one_line(text).into_owned()).collect();
    if cells.len() > MAX_LINES {
        let more = cells.len() - MAX_LINES + 1;
        cells.truncate(MAX_LINES - 1);
        cells.push(format!("… {more} more"));
    }
    cells
}

fn row(step: &str, cells: &[String]) -> String {
    let mut line = format!("   {}", padded(step, STEPS));
    for cell in cells {
        line.push(' ');
        line.push_str(&padded(cell, COLUMN));
    }
    line.trim_end().to_owned()
}

fn padded(text: &str, width: usize) -> String {
    let cut = truncate_str(text, width, "…");
    let missing = width.saturating_sub(measure_text_width(&cut));
    format!("{cut}{}", " ".repeat(missing))
}

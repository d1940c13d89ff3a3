//! Settings and problems as text.

use super::{problem::ConfigProblem, reader::Setting};

/// Formats one line per setting: name, value, origin.
pub(crate) fn settings(settings: &[Setting]) -> String {
    let names = width(settings.iter().map(|setting| setting.name));
    let values = width(settings.iter().map(|setting| setting.shown.as_str()));
    let line = |s: &Setting| format!("{:names$}  {:values$}  {}\n", s.name, s.shown, s.origin);
    settings.iter().map(line).collect()
}

fn width<'a>(column: impl Iterator<Item = &'a str>) -> usize {
    column
        .map(|text| text.chars().count())
        .max()
        .unwrap_or_default()
}

/// Formats the problems for standard error.
pub(crate) fn problems(problems: &[ConfigProblem]) -> String {
    let count = match problems.len() {
        1 => "1 setting is not valid".to_owned(),
        several => format!("{several} settings are not valid"),
    };
    let lines = problems
        .iter()
        .map(|problem| format!("\n  {}: {}", problem.name, problem.reason));
    format!(
        "metaia-server: {count}, nothing was started:{}",
        lines.collect::<String>()
    )
}

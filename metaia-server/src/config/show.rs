//! Settings and problems as text.

use super::{Problem, Setting};

/// One line per setting: name, value, origin.
pub(crate) fn settings(settings: &[Setting]) -> String {
    let width = |text: fn(&Setting) -> &str| {
        settings
            .iter()
            .map(|s| text(s).chars().count())
            .max()
            .unwrap_or(0)
    };
    let (names, values) = (width(|s| s.name), width(|s| &s.shown));
    let line = |s: &Setting| format!("{:names$}  {:values$}  {}\n", s.name, s.shown, s.origin);
    settings.iter().map(line).collect()
}

/// What is wrong, for standard error.
pub(crate) fn problems(problems: &[Problem]) -> String {
    let count = match problems.len() {
        1 => "1 setting is not valid".to_owned(),
        several => format!("{several} settings are not valid"),
    };
    let lines = problems
        .iter()
        .map(|problem| format!("\n  {}: {}", problem.name, problem.what));
    format!(
        "metaia-server: {count}, nothing was started:{}",
        lines.collect::<String>()
    )
}

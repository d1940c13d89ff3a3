//! The report of a case that did not pass: where, what is wrong, what came instead, who got what,
//! and how to run it again.

use super::lanes;
use super::results::CaseResult;
use crate::printer::Paint;
use crate::scenario::StepFailure;
use crate::terminal::one_line;

/// Formats the report; `None` for a case that passed.
pub(super) fn text(
    result: &CaseResult,
    server: &str,
    width: usize,
    paint: Paint,
) -> Option<String> {
    let attempt = result.attempts.last()?;
    let failure = attempt.failure.as_ref()?;
    let spot = failure.spot();
    let mut lines = vec![heading(&result.title(), width, paint)];
    lines.push(paint.dim(&format!(
        "   {}   {}   {server}   run {}",
        spot.file.line(&spot.position),
        kind(failure),
        attempt.run
    )));
    match failure {
        StepFailure::Failed(shortfall) => {
            let label = one_line(&shortfall.unmet.label);
            lines.push(spot.file.excerpt(&spot.position, &label, paint.is_on()));
            lines.push(String::new());
            lines.extend(
                shortfall
                    .unmet
                    .details
                    .iter()
                    .map(|line| format!("   {}", one_line(line))),
            );
        }
        StepFailure::Unjudged(unjudged) => {
            let label = "this could not be judged";
            lines.push(spot.file.excerpt(&spot.position, label, paint.is_on()));
            lines.push(format!("   {}", one_line(&unjudged.failure.chain())));
            if let Some(hint) = &unjudged.failure.hint {
                lines.push(format!("   {} {}", paint.name("hint:"), one_line(hint)));
            }
        }
    }
    if !attempt.records.is_empty() {
        lines.push(String::new());
        lines.extend(lanes::table(attempt, width, paint));
    }
    lines.push(String::new());
    lines.push(format!("   again   {}", again(result)));
    Some(lines.join("\n"))
}

/// Returns the kind of the failure, as reports name it.
pub(super) fn kind(failure: &StepFailure) -> &'static str {
    match failure {
        StepFailure::Failed(shortfall) => shortfall.unmet.kind.name(),
        StepFailure::Unjudged(_) => "error",
    }
}

fn heading(title: &str, width: usize, paint: Paint) -> String {
    let text = format!("── {} ", one_line(title));
    let used = console::measure_text_width(&text);
    let line = "─".repeat(width.min(100).saturating_sub(used));
    paint.bad(&format!("{text}{line}"))
}

/// Returns the command that runs the scenario again, with ids of its own: what the attempt left on
/// the server would change the result.
fn again(result: &CaseResult) -> String {
    format!("metaia test {}{}", result.file, result.variables)
}

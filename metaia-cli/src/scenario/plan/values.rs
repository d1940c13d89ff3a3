//! Values of steps that are refused before anything runs: a number of rounds that checks nothing,
//! a text that is no time, expectations that take each other's events.

use std::collections::BTreeSet;

use super::{PlannedAction, PlannedStep};
use crate::scenario::located::{FilePosition, Located};
use crate::scenario::source::{Mistake, SourceFile};
use crate::scenario::steps::Step;
use crate::span;

/// Refuses values of one step.
pub(super) fn check(step: &Located<Step>, file: &SourceFile) -> Result<(), Mistake> {
    refuse_no_times(step, file)?;
    if let Some(time) = time(&step.value) {
        check_time(time)?;
    }
    match step.value.answer() {
        Some(answer) if answer.code.as_deref() == Some("") => {
            let text = "an empty `code` is that of every answer without one";
            Err(Mistake::new(&answer.position, text).help("expect a `status` instead"))
        }
        _ => Ok(()),
    }
}

/// Refuses a step that is carried out zero times: what it expects is never checked.
fn refuse_no_times(step: &Located<Step>, file: &SourceFile) -> Result<(), Mistake> {
    let times = match &step.value {
        Step::Repeat(repeat) => Some(repeat.times),
        Step::Pay(pay) => pay.times,
        Step::Webhook(webhook) => webhook.times,
        _ => None,
    };
    if times != Some(0) {
        return Ok(());
    }
    let position = file.find("times", &step.position);
    let text = "zero times: this step does nothing, and checks nothing";
    Err(Mistake::new(&position, text))
}

/// Returns the time that a step waits, or that it may take.
fn time(step: &Step) -> Option<&Located<String>> {
    match step {
        Step::Wait(time) => Some(time),
        Step::Back(back) => back.within.as_ref(),
        Step::Run(run) => run.within.as_ref(),
        _ => None,
    }
}

/// Refuses a text that is no time. The values of variables are not known yet.
fn check_time(time: &Located<String>) -> Result<(), Mistake> {
    if time.contains('$') {
        return Ok(());
    }
    match span::parse(time) {
        Ok(_) => Ok(()),
        Err(expected) => Err(Mistake::new(&time.position, expected)),
    }
}

/// Refuses steps at the same time that expect something of the same person. An expectation takes
/// the events that came since the last one, so that the first of them to be judged would leave
/// nothing for the others: a `never` among them would be met by chance.
pub(super) fn refuse_shared_events(branches: &[PlannedStep]) -> Result<(), Mistake> {
    let mut taken: BTreeSet<&str> = BTreeSet::new();
    for branch in branches {
        let expecting = expecting(branch);
        if let Some((name, position)) = expecting.iter().find(|(name, _)| taken.contains(name)) {
            let text = format!("two steps at the same time expect events of `{name}`");
            let help = "write one step `expect` behind the `parallel`";
            return Err(Mistake::new(position, text).help(help));
        }
        taken.extend(expecting.into_iter().map(|(name, _)| name));
    }
    Ok(())
}

/// Returns the people of whom a step, or one within it, expects events.
fn expecting(step: &PlannedStep) -> Vec<(&str, &FilePosition)> {
    match &step.action {
        PlannedAction::Verb(_) => Vec::new(),
        PlannedAction::Expect(checks) => checks
            .iter()
            .map(|check| (check.actor.as_str(), &check.position))
            .collect(),
        PlannedAction::Repeat(_, steps)
        | PlannedAction::Parallel(steps)
        | PlannedAction::Include(steps) => steps.iter().flat_map(expecting).collect(),
    }
}

//! Values of steps that are refused before anything runs: a number of rounds that checks nothing,
//! a text that is no time, expectations that take each other's events.

use std::collections::BTreeSet;

use crate::scenario::located::Located;
use crate::scenario::steps::{Name, Step};
use crate::source_file::{Mistake, SourceFile};
use crate::span;

/// Refuses values of one step.
pub(super) fn check(step: &Located<Step>, file: &SourceFile) -> Result<(), Mistake> {
    refuse_no_times(step, file)?;
    if let Step::Parallel(branches) = &step.value {
        refuse_shared_events(branches)?;
    }
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
fn refuse_shared_events(branches: &[Located<Step>]) -> Result<(), Mistake> {
    let mut taken: BTreeSet<&str> = BTreeSet::new();
    for branch in branches {
        let expecting = expecting(branch);
        if let Some(name) = expecting.iter().find(|name| taken.contains(name.as_str())) {
            let text = format!(
                "two steps at the same time expect events of `{}`",
                name.value
            );
            let help = "write one step `expect` behind the `parallel`";
            return Err(Mistake::new(&name.position, text).help(help));
        }
        taken.extend(expecting.into_iter().map(|name| name.as_str()));
    }
    Ok(())
}

/// Returns the people of whom a step, or one within it, expects events. The steps of other files
/// are not looked at.
fn expecting(step: &Step) -> Vec<&Name> {
    match step {
        Step::Expect(entries) => entries.iter().map(|entry| &entry.actor).collect(),
        Step::Repeat(repeat) => within(&repeat.steps),
        Step::Parallel(steps) => within(steps),
        _ => Vec::new(),
    }
}

fn within(steps: &[Located<Step>]) -> Vec<&Name> {
    steps.iter().flat_map(|step| expecting(step)).collect()
}

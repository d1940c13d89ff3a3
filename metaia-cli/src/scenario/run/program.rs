//! The step that runs a program.

use std::process::Stdio;
use std::time::Duration;

use serde_json::Value;
use tokio::process::Command;

use super::World;
use crate::exit::{Exit, Failure};
use crate::scenario::outcome::{Spot, StepFailure};
use crate::scenario::steps::RunStep;
use crate::span;

/// The time that a program may take, unless `within` says another.
const RUN_WITHIN: Duration = Duration::from_secs(30);

/// The end of a program's output that a report shows.
const SHOWN_LINES: usize = 5;

impl World<'_> {
    pub(super) async fn run_program(&self, step: &RunStep, spot: &Spot) -> Result<(), StepFailure> {
        let unjudged = |failure| StepFailure::unjudged(spot.clone(), failure);
        let words = step.command.iter().map(|word| self.text(word, spot));
        let words: Vec<String> = words.collect::<Result<_, _>>()?;
        let Some((program, args)) = words.split_first() else {
            return Err(unjudged(Failure::usage("`command` is empty")));
        };
        let mut command = Command::new(program);
        command.args(args).stdin(Stdio::null()).kill_on_drop(true);
        command.env("METAIA_URL", self.context.address.base().map_err(unjudged)?);
        for (name, value) in &step.env {
            command.env(name, self.text(value, spot)?);
        }
        let within = match &step.within {
            Some(within) => span::parse(within).map_err(|text| unjudged(Failure::usage(text)))?,
            None => RUN_WITHIN,
        };
        let ended = tokio::time::timeout(within, command.output()).await;
        let output = match ended {
            Ok(Ok(output)) => output,
            Ok(Err(error)) => {
                let failure = Failure::usage(format!("{program} cannot be run"));
                return Err(unjudged(failure.caused_by(error)));
            }
            Err(_) => {
                let text = format!("{program} was killed after {} ms", within.as_millis());
                return Err(unjudged(Failure::new(Exit::TimedOut, text)));
            }
        };
        let printed = String::from_utf8_lossy(&output.stdout)
            .trim_end()
            .to_owned();
        let expected = step.expect.as_ref();
        let exit = expected.and_then(|expected| expected.exit).unwrap_or(0);
        let failed = |label: String| {
            let errors = String::from_utf8_lossy(&output.stderr);
            let lines: Vec<&str> = errors.lines().collect();
            let last = lines.iter().skip(lines.len().saturating_sub(SHOWN_LINES));
            let last = last.map(|line| format!("{program}: {line}"));
            StepFailure::answer(spot.clone(), label).details(last)
        };
        match output.status.code() {
            Some(code) if code == exit => {}
            Some(code) => return Err(failed(format!("{program} ended with {code}, not {exit}"))),
            None => return Err(failed(format!("{program} was ended by a signal"))),
        }
        if let Some(text) = expected.and_then(|expected| expected.stdout.as_ref()) {
            let text = self.text(text, spot)?;
            if !printed.contains(&text) {
                return Err(failed(format!("{program} did not print `{text}`")));
            }
        }
        if let Some(name) = &step.save {
            self.save(&name.value, Value::String(printed));
        }
        Ok(())
    }
}

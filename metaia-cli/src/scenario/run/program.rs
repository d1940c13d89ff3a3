//! The step that runs a program.

use std::time::Duration;

use serde_json::Value;
use tokio::process::Command;

use super::World;
use super::program_output::{self, MAX_KEPT, ProgramOutput};
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
        let (program, command) = self.command(step, spot)?;
        let within = self.program_within(step, spot)?;
        let ended = program_output::run(command, within).await;
        let ended = ended.map_err(|error| {
            unjudged(Failure::usage(format!("{program} cannot be run")).caused_by(error))
        })?;
        let Some(output) = ended else {
            let text = format!("{program} was killed after {} ms", within.as_millis());
            return Err(unjudged(Failure::new(Exit::TimedOut, text)));
        };
        self.judge_program(step, &program, &output, spot)?;
        let Some(name) = &step.save else {
            return Ok(());
        };
        if output.stdout.is_cut {
            let text = format!("{program} printed more than {MAX_KEPT} bytes");
            return Err(unjudged(Failure::usage(text)));
        }
        self.save(&name.value, Value::String(output.stdout.text()));
        Ok(())
    }

    /// Returns the name of the program, and its command.
    fn command(&self, step: &RunStep, spot: &Spot) -> Result<(String, Command), StepFailure> {
        let unjudged = |failure| StepFailure::unjudged(spot.clone(), failure);
        let words = step.command.iter().map(|word| self.text(word, spot));
        let words: Vec<String> = words.collect::<Result<_, _>>()?;
        let Some((program, args)) = words.split_first() else {
            return Err(unjudged(Failure::usage("`command` is empty")));
        };
        let mut command = Command::new(program);
        command.args(args);
        let environment = self.context.child_environment().map_err(unjudged)?;
        environment.apply(&mut command);
        for (name, value) in &step.env {
            command.env(name, self.text(value, spot)?);
        }
        Ok((program.clone(), command))
    }

    fn program_within(&self, step: &RunStep, spot: &Spot) -> Result<Duration, StepFailure> {
        let Some(within) = &step.within else {
            return Ok(RUN_WITHIN);
        };
        span::parse(&self.text(within, spot)?).map_err(|expected| {
            StepFailure::unjudged(spot.at(&within.position), Failure::usage(expected))
        })
    }

    fn judge_program(
        &self,
        step: &RunStep,
        program: &str,
        output: &ProgramOutput,
        spot: &Spot,
    ) -> Result<(), StepFailure> {
        let expected = step.expect.as_ref();
        let exit = expected.and_then(|expected| expected.exit).unwrap_or(0);
        let failed = |label: String| {
            StepFailure::answer(spot.clone(), label).details(last_errors(program, output))
        };
        match output.status.code() {
            Some(code) if code == exit => {}
            Some(code) => return Err(failed(format!("{program} ended with {code}, not {exit}"))),
            None => return Err(failed(format!("{program} was ended by a signal"))),
        }
        let Some(text) = expected.and_then(|expected| expected.stdout.as_ref()) else {
            return Ok(());
        };
        let text = self.text(text, spot)?;
        if !output.stdout.text().contains(&text) {
            return Err(failed(format!("{program} did not print `{text}`")));
        }
        Ok(())
    }
}

/// Returns the last lines that a program wrote to its standard error.
fn last_errors(program: &str, output: &ProgramOutput) -> Vec<String> {
    let errors = output.stderr.text();
    let lines: Vec<&str> = errors.lines().collect();
    let last = lines.iter().skip(lines.len().saturating_sub(SHOWN_LINES));
    last.map(|line| format!("{program}: {line}")).collect()
}

//! Carries out the steps of a plan, one after the other, at the same time, and in rounds.

use std::time::Duration;

use futures_util::future::{BoxFuture, FutureExt as _, join_all};

use super::{World, rounds};
use crate::exit::Failure;
use crate::scenario::located::Located;
use crate::scenario::outcome::{Spot, StepFailure};
use crate::scenario::plan::{PlannedAction, PlannedStep, Rounds};
use crate::scenario::steps::Step;
use crate::span;

impl World<'_> {
    pub(super) fn steps<'s>(
        &'s self,
        steps: &'s [PlannedStep],
    ) -> BoxFuture<'s, Result<(), StepFailure>> {
        async move {
            for step in steps {
                self.step(step).await?;
            }
            Ok(())
        }
        .boxed()
    }

    async fn step(&self, step: &PlannedStep) -> Result<(), StepFailure> {
        let ended = self.act(step).await;
        self.note_step_end();
        ended
    }

    async fn act(&self, step: &PlannedStep) -> Result<(), StepFailure> {
        match &step.action {
            PlannedAction::Verb(verb) => {
                let began = self.elapsed();
                let ended = self.verb(verb, &step.spot).await;
                self.record(verb, began);
                if verb.has_expectation() {
                    return self.counted(ended);
                }
                ended
            }
            PlannedAction::Expect(checks) => self.expect(checks, &step.spot).await,
            PlannedAction::Include(steps) => self.steps(steps).await,
            PlannedAction::Parallel(steps) => {
                let ends = join_all(steps.iter().map(|step| self.step(step))).await;
                ends.into_iter().collect()
            }
            PlannedAction::Repeat(Rounds::Exactly(times), steps) => {
                self.repeat(*times, steps).await
            }
            PlannedAction::Repeat(Rounds::UpTo(times), steps) => {
                self.repeat_until_met(*times, steps).await
            }
        }
    }

    async fn repeat(&self, times: u32, steps: &[PlannedStep]) -> Result<(), StepFailure> {
        for n in 1..=times {
            rounds::within(n, self.steps(steps)).await?;
        }
        Ok(())
    }

    /// Repeats the steps until one round is met. What cannot be judged ends it.
    async fn repeat_until_met(&self, times: u32, steps: &[PlannedStep]) -> Result<(), StepFailure> {
        let mut ended = Ok(());
        for n in 1..=times {
            ended = rounds::within(n, self.steps(steps)).await;
            if !matches!(ended, Err(StepFailure::Failed(_))) {
                break;
            }
        }
        ended
    }

    async fn verb(&self, verb: &Step, spot: &Spot) -> Result<(), StepFailure> {
        match verb {
            Step::Place(step) => self.place(step, spot).await,
            Step::Move(step) => self.move_order(step, spot).await,
            Step::Assign(step) => self.assign(step, spot).await,
            Step::Cancel(step) => self.cancel(step, spot).await,
            Step::Pay(step) => self.pay(step, spot).await,
            Step::Webhook(step) => self.webhook(step, spot).await,
            Step::Notify(step) => self.notify(step, spot).await,
            Step::Read(step) => self.read(step, spot).await,
            Step::TailorStatus(step) => self.set_tailor_status(step, spot).await,
            Step::Emit(step) => self.emit(step, spot).await,
            Step::Join(step) => self.join(step, spot).await,
            Step::Leave(step) => self.leave(step, spot).await,
            Step::Cut(step) => self.cut(step, spot).await,
            Step::Back(step) => self.back(step, spot).await,
            Step::Offline(step) => self.go_offline(step, spot).await,
            Step::Disconnect(step) => self.disconnect(step, spot).await,
            Step::Rest(step) => self.rest(step, spot).await,
            Step::Run(step) => self.run_program(step, spot).await,
            Step::Wait(time) => self.wait(time, spot).await,
            // The plan has made actions of these.
            Step::Expect(_) | Step::Repeat(_) | Step::Parallel(_) | Step::Include(_) => Ok(()),
        }
    }

    async fn wait(&self, time: &Located<String>, spot: &Spot) -> Result<(), StepFailure> {
        let time: Duration = span::parse(&self.text(time, spot)?).map_err(|expected| {
            StepFailure::unjudged(spot.at(&time.position), Failure::usage(expected))
        })?;
        tokio::time::sleep(time).await;
        Ok(())
    }
}

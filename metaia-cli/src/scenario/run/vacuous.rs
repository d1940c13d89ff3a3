//! Refuses a `never` that could not have failed, after all steps.

use super::World;
use crate::absence::Absence;
use crate::expectation::{Expectation, Received, Times};
use crate::scenario::outcome::{Spot, StepFailure};
use crate::scenario::plan::{CheckKind, EventCheck, Pattern, PlannedAction, PlannedStep};
use crate::verdict::cannot_judge;

impl World<'_> {
    pub(super) fn refuse_vacuous(&self, steps: &[PlannedStep]) -> Result<(), StepFailure> {
        let people = self.people.values();
        let received: Vec<Received> = people
            .flat_map(|person| person.story.events_between(0, person.story.len()))
            .collect();
        self.refuse_vacuous_steps(steps, &received)
    }

    fn refuse_vacuous_steps(
        &self,
        steps: &[PlannedStep],
        received: &[Received],
    ) -> Result<(), StepFailure> {
        for step in steps {
            match &step.action {
                PlannedAction::Verb(_) => {}
                PlannedAction::Expect(checks) => {
                    for check in checks {
                        self.refuse_vacuous_check(check, &step.spot, received)?;
                    }
                }
                PlannedAction::Repeat(_, steps)
                | PlannedAction::Parallel(steps)
                | PlannedAction::Include(steps) => {
                    self.refuse_vacuous_steps(steps, received)?;
                }
            }
        }
        Ok(())
    }

    fn refuse_vacuous_check(
        &self,
        check: &EventCheck,
        spot: &Spot,
        received: &[Received],
    ) -> Result<(), StepFailure> {
        let CheckKind::Never(pattern) = &check.kind else {
            return Ok(());
        };
        self.judge_for_all(check, pattern, spot, received)?;
        // A variable of a round, which has ended, has no value now.
        let about = pattern.about.as_ref();
        let about = about.and_then(|about| self.text(about, spot).ok());
        let absence = Absence {
            event: pattern.event.as_deref(),
            has_condition: pattern.matches.is_some() || pattern.condition.is_some(),
            about: about.as_deref(),
        };
        match absence.vacuous(received) {
            Some(unmet) => Err(StepFailure::failed(unmet, spot.at(&check.position))),
            None => Ok(()),
        }
    }

    /// Judges the condition of an absence on the events that others received: one that gives no
    /// boolean is met by the silence of a stranger.
    fn judge_for_all(
        &self,
        check: &EventCheck,
        pattern: &Pattern,
        spot: &Spot,
        received: &[Received],
    ) -> Result<(), StepFailure> {
        let expectation = Expectation {
            event: pattern.event.clone(),
            times: Times::NEVER,
            condition: pattern.condition.clone(),
            ..Expectation::default()
        };
        let mut values = self.values();
        // Of a round, which has ended.
        values.entry("n".to_owned()).or_insert_with(|| 1.into());
        match expectation.judge(received, &values) {
            Ok(_) => Ok(()),
            Err(error) => Err(StepFailure::of(
                cannot_judge(error),
                spot.at(&check.position),
            )),
        }
    }
}

//! Judging an expectation.

use super::condition::NoBoolean;
use super::copies;
use super::expected::{Clause, Expectation};
use super::filter::FilterValues;
use super::judgement::{CannotJudge, ExpectationOutcome, Judgement};
use super::nearest;
use super::received::Received;

impl Expectation {
    /// Judges the events that a watcher received, in their order. A copy of an event counts once.
    ///
    /// # Errors
    /// Returns the event on which the condition gave no boolean.
    pub(crate) fn judge(
        &self,
        events: &[Received],
        variables: &FilterValues,
    ) -> Result<Judgement, CannotJudge> {
        let copies = copies::of(events, |event| self.is_named(event));
        let mut fitting = Vec::new();
        let mut judged = 0;
        for (index, event) in events.iter().enumerate() {
            if copies.contains(&index) {
                continue;
            }
            let failed = self
                .failed_clause(event, variables)
                .map_err(|reason| self.cannot_judge(index, event, reason))?;
            judged += usize::from(was_judged(failed));
            if failed.is_none() {
                fitting.push(index);
            }
        }
        let outcome = self.outcome(fitting.len());
        let nearest = match outcome {
            ExpectationOutcome::Missing { .. } => {
                nearest::of(self, events, &[&fitting[..], &copies[..]].concat())
            }
            _ => None,
        };
        Ok(Judgement {
            outcome,
            fitting,
            copies,
            judged,
            nearest,
        })
    }

    fn outcome(&self, got: usize) -> ExpectationOutcome {
        let wanted = self.times.clone();
        if self.is_exceeded(got) && wanted.is_never() {
            ExpectationOutcome::Unwanted { got }
        } else if self.is_exceeded(got) {
            ExpectationOutcome::TooMany { got, wanted }
        } else if got < wanted.minimum() {
            ExpectationOutcome::Missing { got, wanted }
        } else {
            ExpectationOutcome::Met
        }
    }

    fn cannot_judge(&self, index: usize, event: &Received, reason: NoBoolean) -> CannotJudge {
        let condition = self.condition.as_ref().map(ToString::to_string);
        CannotJudge {
            index,
            event: event.event.clone(),
            filter: condition.unwrap_or_default(),
            hint: reason.hint(),
            reason: reason.to_string(),
        }
    }
}

/// Returns whether `match` or `where` decided.
fn was_judged(failed: Option<Clause>) -> bool {
    matches!(failed, None | Some(Clause::Match | Clause::Condition))
}

#[cfg(test)]
mod tests;

//! Answers to REST requests, and whether they are those that a step expects.

use serde_json::Value;

use super::World;
use crate::diagnosis::HttpReply;
use crate::exit::{Exit, Failure};
use crate::expectation::{Condition, differences};
use crate::scenario::expectations::AnswerExpectation;
use crate::scenario::located::Located;
use crate::scenario::outcome::{Spot, StepFailure};
use crate::terminal::one_line;

/// The longest body that a report shows.
const SHOWN_BODY: usize = 300;

/// An answer, with its body as JSON.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: u16,
    /// `null` if the body is no JSON.
    pub(super) body: Value,
    text: String,
}

impl Answer {
    pub(super) fn new(reply: HttpReply) -> Self {
        Self {
            status: reply.status,
            body: serde_json::from_str(&reply.body).unwrap_or(Value::Null),
            text: reply.body,
        }
    }

    /// Returns the member `data` of the body.
    pub(super) fn data(&self) -> &Value {
        &self.body["data"]
    }

    fn code(&self) -> &str {
        self.body["code"].as_str().unwrap_or_default()
    }

    /// Returns the answer in one line.
    fn shown(&self) -> String {
        let detail = self.body["detail"].as_str();
        let text = match detail {
            Some(detail) => format!("{} {} ({detail})", self.status, self.code()),
            None => format!("{} {}", self.status, self.text),
        };
        one_line(&text.chars().take(SHOWN_BODY).collect::<String>()).into_owned()
    }

    /// Judges the answer. Without an expectation, its status must be 2xx.
    pub(super) fn judge(
        &self,
        expected: Option<&Located<AnswerExpectation>>,
        spot: &Spot,
        world: &World<'_>,
    ) -> Result<(), StepFailure> {
        let Some(expected) = expected else {
            return self.judge_success(spot);
        };
        let spot = spot.at(&expected.position);
        let came = || vec![format!("answered: {}", self.shown())];
        let failed = |label: String| StepFailure::answer(spot.clone(), label).details(came());
        match expected.status {
            // A server or a proxy that is not there has answered nothing.
            Some(status) if status != self.status && matches!(self.status, 502..=504) => {
                return self.judge_success(&spot);
            }
            Some(status) if status != self.status => {
                return Err(failed(format!(
                    "the answer is {}, not {status}",
                    self.status
                )));
            }
            None if expected.code.is_none() => self.judge_success(&spot)?,
            _ => {}
        }
        if let Some(code) = &expected.code
            && code != self.code()
        {
            return Err(failed(format!(
                "the code is `{}`, not `{code}`",
                self.code()
            )));
        }
        if let Some(matches) = &expected.matches {
            let wanted = world.resolve_value(&matches.value, &spot.at(&matches.position))?;
            let differences = differences(&wanted, &self.body);
            if !differences.is_empty() {
                let spot = spot.at(&matches.position);
                let label = "the body differs";
                let lines = differences.iter().map(ToString::to_string);
                let failed = StepFailure::answer(spot, label);
                return Err(failed.details(lines).details(came()));
            }
        }
        match &expected.condition {
            Some(condition) => self.judge_condition(condition, &spot, world),
            None => Ok(()),
        }
    }

    fn judge_condition(
        &self,
        condition: &Located<String>,
        spot: &Spot,
        world: &World<'_>,
    ) -> Result<(), StepFailure> {
        let spot = spot.at(&condition.position);
        let values = world.values();
        let names: Vec<&str> = values.keys().map(String::as_str).collect();
        // It was parsed when the file was read, too.
        let parsed = Condition::parse(condition, &names).map_err(|invalid| {
            StepFailure::unjudged(spot.clone(), Failure::usage(invalid.message))
        })?;
        let holds = parsed.holds(&self.body, &values).map_err(|failed| {
            StepFailure::unjudged(spot.clone(), Failure::usage(failed.to_string()))
        })?;
        if holds {
            return Ok(());
        }
        let failed = StepFailure::answer(spot, "this is not true");
        Err(failed.details([format!("answered: {}", self.shown())]))
    }

    /// Judges an answer of which nothing else is expected. A server that fails has judged nothing.
    fn judge_success(&self, spot: &Spot) -> Result<(), StepFailure> {
        if (200..300).contains(&self.status) {
            return Ok(());
        }
        let label = format!("refused: {}", self.shown());
        if self.status >= 500 {
            let exit = match self.status {
                502..=504 => Exit::Unreachable,
                _ => Exit::Failed,
            };
            let failure = Failure::new(exit, label).of_server();
            return Err(StepFailure::unjudged(spot.clone(), failure));
        }
        Err(StepFailure::answer(spot.clone(), label))
    }
}

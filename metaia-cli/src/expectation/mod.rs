//! Expectations of the events that a watcher receives, and whether they are met. Everything here is
//! a function of values: nothing connects, waits or prints.

mod condition;
mod copies;
mod expected;
mod filter;
mod judgement;
mod judging;
mod near_miss;
mod nearest;
mod received;
mod sequence;
mod subset;
mod times;

pub(crate) use condition::Condition;
pub(crate) use expected::Expectation;
pub(crate) use filter::{Filter, FilterValues, InvalidFilter};
pub(crate) use judgement::{CannotJudge, ExpectationOutcome};
pub(crate) use nearest::Nearest;
pub(crate) use received::Received;
#[cfg(test)]
pub(crate) use received::fixture::received;
pub(crate) use sequence::{Sequence, SequenceJudgement, SequenceOutcome};
pub(crate) use subset::differences;
pub(crate) use times::{InvalidTimes, Times};

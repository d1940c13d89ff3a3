//! One expectation: the events that a watcher should receive, or should not.

use super::condition::{Condition, NoBoolean};
use super::filter::FilterValues;
use super::received::{CONTROL, Received};
use super::subset::fits;
use super::times::Times;

/// The events after which a session may answer nothing.
const ENDS: [&str; 2] = ["rt:end", "rt:drain"];

/// An expectation of events.
#[derive(Debug, Clone, Default)]
pub(crate) struct Expectation {
    /// `None` for any event of the application (`"*"`). Control events count only if named.
    pub(crate) event: Option<String>,
    pub(crate) times: Times,
    /// A subset of the payload.
    pub(crate) matches: Option<serde_json::Value>,
    pub(crate) condition: Option<Condition>,
    /// The id of the order that the event concerns.
    pub(crate) about: Option<String>,
    pub(crate) replayed: Option<bool>,
}

/// A part of an expectation that an event can fail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Clause {
    Event,
    About,
    Replayed,
    Match,
    Condition,
}

impl Expectation {
    /// Returns whether so many fitting events came that a watcher need not wait for another. An
    /// expectation that no event comes is never reached: a fence has to prove it.
    pub(crate) fn is_reached(&self, fitting: usize) -> bool {
        !self.times.is_never() && fitting >= self.times.minimum()
    }

    /// Returns whether more events came than are wanted, so that waiting changes nothing.
    pub(crate) fn is_exceeded(&self, fitting: usize) -> bool {
        fitting > self.times.maximum()
    }

    /// Returns whether only events about the session can fit.
    pub(crate) fn is_for_control(&self) -> bool {
        let name = self.event.as_deref();
        name.is_some_and(|name| name.starts_with(CONTROL))
    }

    /// Returns whether only events that end the session, or announce its end, can fit.
    pub(crate) fn is_for_end(&self) -> bool {
        let name = self.event.as_deref();
        name.is_some_and(|name| ENDS.contains(&name))
    }

    /// Returns whether `match` and `where` are judged on this event.
    pub(super) fn is_named(&self, event: &Received) -> bool {
        match &self.event {
            Some(name) => event.event == *name,
            None => !event.is_control(),
        }
    }

    pub(super) fn concerns(&self, event: &Received) -> bool {
        self.about
            .as_ref()
            .is_none_or(|order| event.concerns(order))
    }

    pub(super) fn is_as_live(&self, event: &Received) -> bool {
        self.replayed
            .is_none_or(|replayed| event.replayed == replayed)
    }

    /// Returns the first clause that the event fails; `None` if it fits.
    pub(super) fn failed_clause(
        &self,
        event: &Received,
        variables: &FilterValues,
    ) -> Result<Option<Clause>, NoBoolean> {
        if !self.is_named(event) {
            return Ok(Some(Clause::Event));
        }
        if !self.concerns(event) {
            return Ok(Some(Clause::About));
        }
        if !self.is_as_live(event) {
            return Ok(Some(Clause::Replayed));
        }
        let subset = self.matches.as_ref();
        if !subset.is_none_or(|matches| fits(matches, &event.data)) {
            return Ok(Some(Clause::Match));
        }
        let Some(condition) = &self.condition else {
            return Ok(None);
        };
        let holds = condition.holds(&event.json(), variables)?;
        Ok((!holds).then_some(Clause::Condition))
    }
}

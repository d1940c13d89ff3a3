//! The step `expect`: waits for what must come, proves by a fence that nothing else is on its way,
//! and judges.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;

use super::World;
use super::person::{Cursor, Person};
use crate::exit::{Exit, Failure};
use crate::expectation::{Expectation, FilterValues, Received, Sequence, Times};
use crate::scenario::outcome::{Spot, StepFailure};
use crate::scenario::plan::{CheckKind, EventCheck, Pattern};
use crate::verdict::{
    Judged, NotMet, Unmet, UnmetKind, Window, gap, judge_event, judge_never, judge_sequence, list,
    unproven,
};

/// An expectation with the values of its variables.
pub(super) enum Resolved {
    Event(Expectation),
    Never(Expectation),
    Sequence(Sequence),
}

/// The reason why a person has no fence.
struct NoFence {
    failure: Failure,
    /// True if there is no session, and the client makes no other: events that were missed cannot
    /// come any more.
    has_ended: bool,
}

/// One check of a step, with its person.
struct Task<'a> {
    check: &'a EventCheck,
    person: &'a Arc<Person>,
    resolved: Resolved,
    spot: Spot,
    /// The time by which its events must have come, since the run began.
    deadline: Duration,
}

impl World<'_> {
    pub(super) async fn expect(
        &self,
        checks: &[EventCheck],
        spot: &Spot,
    ) -> Result<(), StepFailure> {
        let values = self.values();
        let since = self.last_step_ended();
        let tasks = checks.iter().map(|check| self.task(check, since, spot));
        let tasks: Vec<Task<'_>> = tasks.collect::<Result<_, _>>()?;
        let mut fences = self.fences(&tasks).await;
        if self.wait_for_events(&tasks, &values).await {
            fences = self.fences(&tasks).await;
        }
        self.judge(&tasks, &fences, &values)
    }

    fn task<'a>(
        &'a self,
        check: &'a EventCheck,
        since: Duration,
        spot: &Spot,
    ) -> Result<Task<'a>, StepFailure> {
        let spot = spot.at(&check.position);
        let resolved = match &check.kind {
            CheckKind::Event(pattern, times) => {
                Resolved::Event(self.expectation(pattern, times.clone(), &spot)?)
            }
            CheckKind::Never(pattern) => {
                Resolved::Never(self.expectation(pattern, Times::NEVER, &spot)?)
            }
            CheckKind::Sequence {
                event,
                of,
                is,
                replayed,
            } => Resolved::Sequence(Sequence {
                event: event.clone(),
                of: of.clone(),
                is: match self.resolve_value(is, &spot)? {
                    serde_json::Value::Array(values) => values,
                    other => vec![other],
                },
                replayed: *replayed,
            }),
        };
        Ok(Task {
            check,
            person: self.person(&check.actor, &spot)?,
            resolved,
            deadline: since + check.within,
            spot,
        })
    }

    pub(super) fn expectation(
        &self,
        pattern: &Pattern,
        times: Times,
        spot: &Spot,
    ) -> Result<Expectation, StepFailure> {
        let matches = pattern.matches.as_ref();
        let matches = matches.map(|matches| self.resolve_value(matches, spot));
        let about = pattern.about.as_ref().map(|about| self.text(about, spot));
        Ok(Expectation {
            event: pattern.event.clone(),
            times,
            matches: matches.transpose()?,
            condition: pattern.condition.clone(),
            about: about.transpose()?,
            replayed: pattern.replayed,
        })
    }

    /// Asks the session of each person who needs it for a fence. Returns the reasons of those that
    /// have none.
    async fn fences(&self, tasks: &[Task<'_>]) -> BTreeMap<String, NoFence> {
        let people: BTreeMap<&String, &Arc<Person>> = tasks
            .iter()
            .filter(|task| task.asks_for_fence())
            .map(|task| (&task.person.name, task.person))
            .collect();
        let fences = people.into_values().map(|person| async move {
            let no_fence = fence(person).await.err()?;
            Some((person.name.clone(), no_fence))
        });
        join_all(fences).await.into_iter().flatten().collect()
    }

    /// Waits until every expected event has come, or its time is over. Returns whether it waited.
    async fn wait_for_events(&self, tasks: &[Task<'_>], values: &FilterValues) -> bool {
        let mut has_waited = false;
        for task in tasks {
            let story = &task.person.story;
            has_waited |= story
                .wait_until(task.deadline, || task.is_satisfied(values))
                .await;
        }
        has_waited
    }

    fn judge(
        &self,
        tasks: &[Task<'_>],
        fences: &BTreeMap<String, NoFence>,
        values: &FilterValues,
    ) -> Result<(), StepFailure> {
        let windows: BTreeMap<&str, (Window, Cursor)> = tasks
            .iter()
            .map(|task| (task.person.name.as_str(), window(task.person)))
            .collect();
        let mut asked_for: BTreeMap<&str, HashSet<usize>> = BTreeMap::new();
        for task in tasks {
            let name = task.person.name.as_str();
            let Some((window, _)) = windows.get(name) else {
                continue;
            };
            let is_told = tasks
                .iter()
                .any(|other| other.person.name == name && other.is_about_reset());
            let judged = task.judge(window, fences.get(name), values);
            let judged = judged.and_then(|judged| task.refuse_gap(judged, window, is_told));
            let judged = self.counted(judged)?;
            asked_for.entry(name).or_default().extend(&judged.fitting);
            if let (Some(save), Some(first)) = (&task.check.save, judged.fitting.first()) {
                self.save(save, window.events[*first].data.clone());
            }
        }
        for task in tasks.iter().filter(|task| task.check.is_only) {
            let name = task.person.name.as_str();
            if let (Some((window, _)), Some(asked_for)) = (windows.get(name), asked_for.get(name)) {
                refuse_others(task, window, asked_for)?;
            }
        }
        for task in tasks {
            if let Some((_, end)) = windows.get(task.person.name.as_str()) {
                task.person.set_cursor(*end);
            }
        }
        Ok(())
    }
}

impl Task<'_> {
    /// Returns whether a fence is asked for. It also keeps what was committed before the step from
    /// the window of the next one; a session that ends has none.
    fn asks_for_fence(&self) -> bool {
        match &self.resolved {
            Resolved::Event(expectation) => self.check.is_only || !expectation.is_for_end(),
            Resolved::Never(_) | Resolved::Sequence(_) => true,
        }
    }

    /// Returns whether the judgement needs the fence: it does not cover the events of the session
    /// itself.
    fn needs_fence(&self) -> bool {
        match &self.resolved {
            Resolved::Event(expectation) => self.check.is_only || !expectation.is_for_control(),
            Resolved::Never(_) | Resolved::Sequence(_) => true,
        }
    }

    /// Returns whether the events that must come have come.
    fn is_satisfied(&self, values: &FilterValues) -> bool {
        let (window, _) = window(self.person);
        match &self.resolved {
            Resolved::Event(expectation) => {
                let judged = expectation.judge(&window.events, values);
                // What cannot be judged now cannot be judged later.
                judged.map_or(true, |judged| expectation.is_reached(judged.fitting.len()))
            }
            Resolved::Never(_) => true,
            Resolved::Sequence(sequence) => {
                let judged = sequence.judge(&window.events, values);
                judged.map_or(true, |judged| !sequence.is_waiting(&judged))
            }
        }
    }

    fn judge(
        &self,
        window: &Window,
        no_fence: Option<&NoFence>,
        values: &FilterValues,
    ) -> Result<Judged, StepFailure> {
        if self.person.story.is_full() {
            let text = format!("{} received too much to judge", self.person.name);
            return Err(self.unjudged(Failure::new(Exit::Failed, text)));
        }
        let name = &self.person.name;
        let judged = match &self.resolved {
            Resolved::Event(expectation) => {
                judge_event(expectation, window, self.deadline, name, values)
            }
            Resolved::Never(expectation) => judge_never(expectation, window, name, values),
            Resolved::Sequence(sequence) => {
                judge_sequence(sequence, window, self.deadline, name, values)
            }
        };
        let judged = match (judged, no_fence) {
            (judged, None) => judged,
            (judged, Some(_)) if !self.needs_fence() => judged,
            // To a session that has ended nothing more can come.
            (Ok(judged), Some(no_fence)) if no_fence.has_ended && self.is_about_an_event() => {
                Ok(judged)
            }
            (Err(NotMet::Unmet(unmet)), Some(_)) if unmet.kind != UnmetKind::Missing => {
                Err(unmet.into())
            }
            (_, Some(no_fence)) => Err(unproven(name, &no_fence.failure)),
        };
        judged.map_err(|not_met| StepFailure::of(not_met, self.spot.clone()))
    }

    /// Refuses an event of which there may have been more, as events were missed for good. A step
    /// that expects the `rt:reset` of it knows.
    fn refuse_gap(
        &self,
        judged: Judged,
        window: &Window,
        is_told: bool,
    ) -> Result<Judged, StepFailure> {
        if window.has_gap && !is_told && self.needs_fence() {
            return Err(StepFailure::of(gap(&self.person.name), self.spot.clone()));
        }
        Ok(judged)
    }

    fn is_about_reset(&self) -> bool {
        match &self.resolved {
            Resolved::Event(expectation) => expectation.event.as_deref() == Some("rt:reset"),
            Resolved::Never(_) | Resolved::Sequence(_) => false,
        }
    }

    fn is_about_an_event(&self) -> bool {
        matches!(self.resolved, Resolved::Event(_))
    }

    fn unjudged(&self, failure: Failure) -> StepFailure {
        StepFailure::unjudged(self.spot.clone(), failure)
    }
}

/// Returns what a person received since the last `expect`, and its end.
fn window(person: &Person) -> (Window, Cursor) {
    let cursor = person.cursor();
    let end = Cursor {
        entry: person.story.len(),
        gaps: person.story.gaps(),
    };
    let seen = person.story.ids_before(cursor.entry);
    let came = person.story.events_between(cursor.entry, end.entry);
    let count = came.len();
    let is_copy = |event: &Received| event.id.as_deref().is_some_and(|id| seen.contains(id));
    let is_new = |event: &Received| event.again || !is_copy(event);
    let events: Vec<Received> = came.into_iter().filter(is_new).collect();
    let window = Window {
        earlier_copies: count - events.len(),
        events,
        has_gap: end.gaps > cursor.gaps,
    };
    (window, end)
}

/// Waits for the fence of a person's session.
async fn fence(person: &Person) -> Result<(), NoFence> {
    let connection = person.connection.lock().await;
    let Some(watcher) = &connection.watcher else {
        return Err(NoFence {
            failure: person.not_connected(),
            has_ended: true,
        });
    };
    match watcher.fence().await {
        Ok(_) => Ok(()),
        Err(failure) => Err(NoFence {
            failure,
            has_ended: watcher.has_ended(),
        }),
    }
}

fn refuse_others(
    task: &Task<'_>,
    window: &Window,
    asked_for: &HashSet<usize>,
) -> Result<(), StepFailure> {
    let others: Vec<&Received> = window
        .events
        .iter()
        .enumerate()
        .filter(|(index, event)| !asked_for.contains(index) && !event.is_control())
        .map(|(_, event)| event)
        .collect();
    if others.is_empty() {
        return Ok(());
    }
    let label = format!("{} other events came", others.len());
    let unmet = Unmet::new(UnmetKind::Others, label).details(list(&others));
    Err(StepFailure::failed(unmet, task.spot.clone()))
}

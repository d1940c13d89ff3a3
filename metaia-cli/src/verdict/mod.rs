//! Judges one expectation on what somebody received, and says what came instead.

mod unmet;

use std::time::Duration;

use crate::event_line::{Memory, what_changed};
use crate::exit::Failure;
use crate::expectation::{
    CannotJudge, Expectation, ExpectationOutcome as Outcome, FilterValues, Nearest, Received,
    Sequence, SequenceJudgement, SequenceOutcome,
};
use crate::printer::Paint;
use crate::terminal::one_line;

pub(crate) use unmet::{NotMet, Unmet, UnmetKind};

/// The number of events that a report lists.
const LISTED: usize = 8;

/// The largest width of the text about a listed event.
const LISTED_WIDTH: usize = 70;

/// The width of the text about an event that nearly fits.
const NEAR_WIDTH: usize = 110;

/// The events that came to somebody in the time that an expectation is about.
#[derive(Debug)]
pub(crate) struct Window {
    pub(crate) events: Vec<Received>,
    /// The number of events whose id had come before: copies, which do not count.
    pub(crate) earlier_copies: usize,
    /// True if events were missed for good.
    pub(crate) has_gap: bool,
}

/// An expectation that was met.
#[derive(Debug, Default)]
pub(crate) struct Judged {
    /// The events that fit, as indexes into the window.
    pub(crate) fitting: Vec<usize>,
}

/// Judges an event that must come.
pub(crate) fn judge_event(
    expectation: &Expectation,
    window: &Window,
    deadline: Duration,
    who: &str,
    values: &FilterValues,
) -> Result<Judged, NotMet> {
    let judgement = expectation
        .judge(&window.events, values)
        .map_err(cannot_judge)?;
    match judgement.outcome {
        Outcome::Met => {}
        Outcome::Missing { got, ref wanted } => {
            let label = match got {
                0 => format!("no such event came to {who}"),
                _ => format!("{got} came to {who}, not {wanted}"),
            };
            let near = judgement.nearest.as_ref();
            let near = near
                .map(|nearest| near_miss(nearest, expectation, window))
                .unwrap_or_default();
            let failed = Unmet::new(UnmetKind::Missing, label);
            let unmet = failed.details(near).details(what_came(window, who));
            return Err(unmet.into());
        }
        Outcome::TooMany { got, ref wanted } => {
            let label = format!("{got} came to {who}, not {wanted}");
            return Err(too_many(label, &picked(&judgement.fitting, window)).into());
        }
        Outcome::Unwanted { got } => return Err(unwanted(got, &judgement.fitting, window, who)),
    }
    let needed = expectation
        .times
        .minimum()
        .max(1)
        .min(judgement.fitting.len());
    let last_needed = needed.checked_sub(1).and_then(|n| judgement.fitting.get(n));
    let last = last_needed.and_then(|index| window.events.get(*index));
    refuse_late(last, deadline, who)?;
    Ok(Judged {
        fitting: judgement.fitting,
    })
}

/// Returns what is unmet if all of these events came.
fn too_many(label: String, came: &[&Received]) -> Unmet {
    let label = if came.iter().any(|event| event.again) {
        format!("{label}: one connection brought an event twice")
    } else {
        label
    };
    Unmet::new(UnmetKind::TooMany, label).details(list(came))
}

/// Refuses an event that came after its time, although it came before the fence.
fn refuse_late(last: Option<&Received>, deadline: Duration, who: &str) -> Result<(), NotMet> {
    let Some(last) = last.filter(|last| last.at > deadline) else {
        return Ok(());
    };
    let late = (last.at - deadline).as_millis();
    let label = format!("it came to {who} {late} ms too late");
    let unmet = Unmet::new(UnmetKind::Late, label).details(list(&[last]));
    Err(unmet.into())
}

/// Judges an event that must not come.
pub(crate) fn judge_never(
    expectation: &Expectation,
    window: &Window,
    who: &str,
    values: &FilterValues,
) -> Result<Judged, NotMet> {
    let judgement = expectation
        .judge(&window.events, values)
        .map_err(cannot_judge)?;
    if !judgement.fitting.is_empty() {
        let got = judgement.fitting.len();
        return Err(unwanted(got, &judgement.fitting, window, who));
    }
    if window.has_gap {
        return Err(gap(who));
    }
    Ok(Judged::default())
}

/// Returns what is unmet if somebody missed events for good.
pub(crate) fn gap(who: &str) -> NotMet {
    let label = format!("{who} missed events for good: nothing is proven");
    Unmet::new(UnmetKind::Gap, label).into()
}

/// Returns the result of a judgement without a fence.
pub(crate) fn unproven(who: &str, no_fence: &Failure) -> NotMet {
    let text = format!("{who} has no fence, so nothing is proven");
    NotMet::Unjudged(Failure::new(no_fence.exit, text).hint(no_fence.chain()))
}

/// Returns lines that compare the values of a sequence.
fn compare(sequence: &Sequence, judged: &SequenceJudgement) -> Vec<String> {
    let shown = |values: &[serde_json::Value]| {
        let values: Vec<String> = values.iter().map(ToString::to_string).collect();
        values.join(", ")
    };
    vec![
        format!("expected  {}", shown(&sequence.is)),
        format!("got       {}", shown(&judged.got)),
    ]
}

/// Returns lines that compare the event that nearly fits with what is expected.
fn near_miss(nearest: &Nearest, expectation: &Expectation, window: &Window) -> Vec<String> {
    let Some(event) = window.events.get(nearest.index) else {
        return Vec::new();
    };
    let mut lines = vec!["an event that nearly fits:".to_owned()];
    let near = nearest.lines(expectation, event, NEAR_WIDTH, Paint::PLAIN);
    lines.extend(near.into_iter().map(|line| format!("  {line}")));
    lines
}

fn unwanted(got: usize, fitting: &[usize], window: &Window, who: &str) -> NotMet {
    let events = if got == 1 { "event" } else { "events" };
    let label = format!("{got} {events} came to {who} that must not");
    let failed = Unmet::new(UnmetKind::Never, label);
    failed.details(list(&picked(fitting, window))).into()
}

/// Judges events whose values must come in order.
pub(crate) fn judge_sequence(
    sequence: &Sequence,
    window: &Window,
    deadline: Duration,
    who: &str,
    values: &FilterValues,
) -> Result<Judged, NotMet> {
    let judged = sequence
        .judge(&window.events, values)
        .map_err(cannot_judge)?;
    let kind = match &judged.outcome {
        SequenceOutcome::Met => {
            if window.has_gap {
                return Err(gap(who));
            }
            let last = judged.events.last();
            refuse_late(
                last.and_then(|index| window.events.get(*index)),
                deadline,
                who,
            )?;
            return Ok(Judged {
                fitting: judged.events,
            });
        }
        SequenceOutcome::Missing(_) => UnmetKind::Missing,
        SequenceOutcome::TooMany(_) => UnmetKind::TooMany,
        SequenceOutcome::Order | SequenceOutcome::Others { .. } => UnmetKind::Order,
    };
    let label = format!("{who} received another sequence");
    let failed = Unmet::new(kind, label);
    let compared = compare(sequence, &judged);
    Err(failed
        .details(compared)
        .details(what_came(window, who))
        .into())
}

/// Returns the failure of a filter that gave no answer.
pub(crate) fn cannot_judge(error: CannotJudge) -> NotMet {
    let hint = error.hint;
    let failure = Failure::usage(error.to_string());
    let failure = match hint {
        Some(hint) => failure.hint(hint),
        None => failure,
    };
    NotMet::Unjudged(failure)
}

/// Returns lines that say what came to somebody.
fn what_came(window: &Window, who: &str) -> Vec<String> {
    let events: Vec<&Received> = window
        .events
        .iter()
        .filter(|event| !event.is_control())
        .collect();
    let mut lines = match events.len() {
        0 => vec![format!("nothing else came to {who}")],
        1 => vec![format!("{who} received one event:")],
        n => vec![format!("{who} received {n} events:")],
    };
    lines.extend(list(&events));
    if window.earlier_copies > 0 {
        let copies = window.earlier_copies;
        lines.push(format!(
            "and {copies} copies of earlier ones, which do not count"
        ));
    }
    lines
}

fn picked<'a>(indexes: &[usize], window: &'a Window) -> Vec<&'a Received> {
    let events = indexes.iter().filter_map(|index| window.events.get(*index));
    events.collect()
}

/// Returns one line for each event, up to a limit.
pub(crate) fn list(events: &[&Received]) -> Vec<String> {
    let mut memory = Memory::default();
    let listed = events.iter().take(LISTED);
    let mut lines: Vec<String> = listed.map(|event| line(event, &mut memory)).collect();
    if events.len() > LISTED {
        lines.push(format!("  … and {} more", events.len() - LISTED));
    }
    lines
}

fn line(event: &Received, memory: &mut Memory) -> String {
    let changed = what_changed(&event.event, &event.data, memory, LISTED_WIDTH);
    let replayed = if event.replayed { " ↻" } else { "" };
    let ms = event.at.as_millis();
    format!(
        "  +{ms} ms  {}{replayed}  {changed}",
        one_line(&event.event)
    )
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::expectation::Filter;

    fn received(ms: u64, status: &str) -> Received {
        Received {
            event: "order_update".to_owned(),
            data: json!({"status": status}),
            id: None,
            position: None,
            replayed: false,
            again: false,
            latency_ms: None,
            at: Duration::from_millis(ms),
            receiver: "buyer".to_owned(),
        }
    }

    #[test]
    fn a_sequence_whose_last_event_came_too_late_is_not_met() {
        let sequence = Sequence {
            event: "order_update".to_owned(),
            of: Filter::parse(".data.status", &[]).unwrap(),
            is: vec![json!("pending"), json!("confirmed")],
            replayed: None,
        };
        let window = Window {
            events: vec![received(5, "pending"), received(40, "confirmed")],
            earlier_copies: 0,
            has_gap: false,
        };
        let judge = |ms: u64| {
            let deadline = Duration::from_millis(ms);
            judge_sequence(&sequence, &window, deadline, "buyer", &FilterValues::new())
        };
        assert_eq!(judge(40).unwrap().fitting, [0, 1]);
        let Err(NotMet::Unmet(unmet)) = judge(30) else {
            panic!("it was met");
        };
        assert_eq!(unmet.kind, UnmetKind::Late);
        assert_eq!(unmet.label, "it came to buyer 10 ms too late");
    }
}

//! The live session: its rooms, and what it receives.

use super::check::DoctorCheck;
use super::facts::{Delivered, Facts, OwnEvent};
use super::finding::{Finding, in_ms};
use super::token::without_session;
use crate::diagnosis::Diagnosis;
use crate::event_names;
use crate::exit::Exit;

pub(super) fn rooms(facts: &Facts) -> Option<Finding> {
    if let Some(before) = without_sign_in(facts, DoctorCheck::Rooms) {
        return Some(before);
    }
    let found = facts.rooms.as_ref()?;
    let finding = match &found.value {
        Ok(rooms) => Finding::good(DoctorCheck::Rooms, format!("live in {}", rooms.join(", "))),
        Err(diagnosis) => Finding::problem(DoctorCheck::Rooms, "not live", diagnosis.clone()),
    };
    Some(finding.took(found.took))
}

/// Returns the finding of a check that needs a session, if there is none.
fn without_sign_in(facts: &Facts, check: DoctorCheck) -> Option<Finding> {
    if let Some(before) = without_session(facts, check) {
        return Some(before);
    }
    let sign_ins = facts.sign_ins.as_ref()?;
    let is_signed_in = sign_ins.iter().any(|one| one.result.value.is_ok());
    (!is_signed_in).then(|| Finding::not_tried(check, "no session could be opened"))
}

/// Returns the finding of a check that needs a live session, if there is none.
pub(super) fn without_rooms(facts: &Facts, check: DoctorCheck) -> Option<Finding> {
    if let Some(before) = without_sign_in(facts, check) {
        return Some(before);
    }
    let is_live = facts.rooms.as_ref()?.value.is_ok();
    (!is_live).then(|| Finding::not_tried(check, "the session is not live"))
}

pub(super) fn delivery(facts: &Facts) -> Option<Finding> {
    if let Some(before) = without_rooms(facts, DoctorCheck::Delivery) {
        return Some(before);
    }
    Some(delivered(facts.delivered.as_ref()?))
}

fn delivered(delivered: &Delivered) -> Finding {
    const CHECK: DoctorCheck = DoctorCheck::Delivery;
    let fence = match &delivered.fence {
        Ok(took) => format!("fence (rt:sync) in {}", in_ms(*took)),
        Err(diagnosis) => return Finding::problem(CHECK, "no fence", diagnosis.clone()),
    };
    match &delivered.own_event {
        OwnEvent::Back(took) => {
            let found = format!("own event back in {}, {fence}", in_ms(*took));
            Finding::good(CHECK, found).took(*took)
        }
        OwnEvent::NotSent(why) => Finding::good(CHECK, format!("{fence}; no own event: {why}")),
        OwnEvent::Refused(diagnosis) => {
            let found = format!("{fence}; the own event was not taken");
            // A client that receives does not need it.
            Finding::problem(CHECK, found, diagnosis.clone()).unless(false)
        }
        OwnEvent::Lost(diagnosis) => {
            let found = format!("{fence}; the own event is missing");
            Finding::problem(CHECK, found, diagnosis.clone())
        }
    }
}

/// Judges the name of an event, for which the server is not needed.
pub(super) fn event(facts: &Facts) -> Option<Finding> {
    const CHECK: DoctorCheck = DoctorCheck::Event;
    let Some(name) = &facts.wishes.event else {
        let how = "--event NAME looks for a misspelt name";
        return Some(Finding::not_asked_for(CHECK, how));
    };
    let Some(doubt) = event_names::doubt(name) else {
        return Some(Finding::good(
            CHECK,
            format!("{name} is an event of the server"),
        ));
    };
    let Some(meant) = event_names::nearest(name) else {
        let fix = "if no backend of yours emits it, look for its name in docs/events.md";
        return Some(Finding::warning(CHECK, name, doubt, fix));
    };
    let diagnosis = Diagnosis {
        exit: Exit::Unexpected,
        cause: doubt,
        advice: Some(format!("listen for {meant} in the client")),
    };
    Some(Finding::problem(CHECK, name, diagnosis))
}

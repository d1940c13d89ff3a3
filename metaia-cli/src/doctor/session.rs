//! The live session: its rooms, what it receives, and how long its line may be silent.

use super::check::DoctorCheck;
use super::facts::{Delivered, Facts, OwnEvent};
use super::finding::{Finding, in_ms};
use super::token::without_session;
use crate::diagnosis::{Diagnosis, cut_line, no_fence, not_delivered, not_ready};
use crate::event_names;
use crate::exit::Exit;

pub(super) fn rooms(facts: &Facts) -> Option<Finding> {
    if let Some(before) = without_sign_in(facts, DoctorCheck::Rooms) {
        return Some(before);
    }
    let found = facts.rooms.as_ref()?;
    let finding = match &found.value {
        Some(rooms) => Finding::good(DoctorCheck::Rooms, format!("live in {}", rooms.join(", "))),
        None => Finding::problem(DoctorCheck::Rooms, "not live", not_ready(found.took)),
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
fn without_rooms(facts: &Facts, check: DoctorCheck) -> Option<Finding> {
    if let Some(before) = without_sign_in(facts, check) {
        return Some(before);
    }
    let is_live = facts.rooms.as_ref()?.value.is_some();
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
        Err((exit, reason)) => {
            return Finding::problem(CHECK, "no fence", no_fence(*exit, reason));
        }
    };
    match &delivered.own_event {
        OwnEvent::Back(took) => {
            let found = format!("own event back in {}, {fence}", in_ms(*took));
            Finding::good(CHECK, found).took(*took)
        }
        OwnEvent::NotSent(why) => Finding::good(CHECK, format!("{fence}; no own event: {why}")),
        OwnEvent::Lost(limit) => {
            let found = format!("{fence}; the own event is missing");
            Finding::problem(CHECK, found, not_delivered(*limit))
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

pub(super) fn idle(facts: &Facts) -> Option<Finding> {
    const CHECK: DoctorCheck = DoctorCheck::Idle;
    let Some(_) = facts.wishes.idle else {
        let how = "--idle 60s holds a silent line, and finds what cuts it";
        return Some(Finding::not_asked_for(CHECK, how));
    };
    if let Some(before) = without_rooms(facts, CHECK) {
        return Some(before);
    }
    let line = facts.idle.as_ref()?;
    let held = line.held.as_secs_f64();
    if let Some((silence, reason)) = &line.cut {
        let diagnosis = cut_line(*silence, line.ping_interval, reason);
        let found = format!("the line was lost after {held:.1} s");
        return Some(Finding::problem(CHECK, found, diagnosis).took(line.held));
    }
    let pinged = line.ping_interval.filter(|interval| *interval < line.held);
    let pinged = pinged.map_or_else(String::new, |interval| {
        let seconds = interval.as_secs_f64();
        format!("; the server sends a ping every {seconds} s, so no silence was longer")
    });
    let found = format!("the line was held for {held:.1} s{pinged}");
    Some(Finding::good(CHECK, found).took(line.held))
}

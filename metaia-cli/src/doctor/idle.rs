//! The silent line: how long it lives, and what ended it.

use metaia_realtime::client::Transport;

use super::check::DoctorCheck;
use super::facts::{Facts, HeldLine, LineEnd, LineLoss, LostLine};
use super::finding::Finding;
use super::session::without_rooms;
use crate::diagnosis::{Diagnosis, ProbeResult, Via, cut_line, deaf_line, refusal_exit};
use crate::exit::Exit;
use crate::session_end::SessionEnd;

const CHECK: DoctorCheck = DoctorCheck::Idle;

pub(super) fn idle(facts: &Facts) -> Option<Finding> {
    let Some(_) = facts.wishes.idle else {
        let how = "--idle 60s holds a silent line, and finds what cuts it";
        return Some(Finding::not_asked_for(CHECK, how));
    };
    if let Some(before) = without_rooms(facts, CHECK) {
        return Some(before);
    }
    let line = facts.idle.as_ref()?;
    let held = line.held.as_secs_f64();
    let finding = match &line.end {
        LineEnd::Answered => {
            let found = format!("the line was held for {held:.1} s{}", pinged(line));
            Finding::good(CHECK, found)
        }
        LineEnd::WithoutFence(diagnosis) => {
            let found = format!("the line was held for {held:.1} s, and no fence came");
            Finding::problem(CHECK, found, diagnosis.clone())
        }
        LineEnd::Ended(code) => {
            let found = format!("the server ended the session after {held:.1} s");
            Finding::problem(CHECK, found, session_ended(code))
        }
        LineEnd::Lost(lost) => {
            let (found, diagnosis) = judge_lost(facts, line, lost);
            Finding::problem(CHECK, found, diagnosis)
        }
    };
    Some(finding.took(line.held))
}

/// Says that pings broke the silence.
fn pinged(line: &HeldLine) -> String {
    let pinged = line.ping_interval.filter(|interval| *interval < line.held);
    pinged.map_or_else(String::new, |interval| {
        let seconds = interval.as_secs_f64();
        format!("; the server sends a ping every {seconds} s, so no silence was longer")
    })
}

/// Returns the diagnosis of a session that the server ended with this code.
pub(crate) fn session_ended(code: &str) -> Diagnosis {
    let end = SessionEnd::ByServer(code.to_owned());
    Diagnosis {
        exit: match code {
            "token_expired" | "token_revoked" => refusal_exit(code),
            _ => Exit::Unreachable,
        },
        cause: end.cause(),
        advice: Some(end.advice().to_owned()),
    }
}

/// Returns what was found, and its diagnosis. The line is to blame only if the server can be
/// reached again.
fn judge_lost(facts: &Facts, line: &HeldLine, lost: &LostLine) -> (String, Diagnosis) {
    let held = line.held.as_secs_f64();
    let found = match &lost.loss {
        LineLoss::Cut(_) => format!("the line was lost after {held:.1} s"),
        LineLoss::Deaf => format!("the line was held for {held:.1} s, and is dead"),
    };
    if let Err(fault) = &lost.again {
        let nothing = ProbeResult::Nothing;
        let diagnosis = facts
            .wishes
            .diagnose(via(facts), "/socket.io/", fault, &nothing);
        return (format!("{found}; connecting again failed"), diagnosis);
    }
    let diagnosis = match &lost.loss {
        LineLoss::Cut(reason) => cut_line(lost.silence, line.ping_interval, reason),
        LineLoss::Deaf => deaf_line(lost.silence),
    };
    (found, diagnosis)
}

fn via(facts: &Facts) -> Via {
    match facts.working_transport() {
        Some(Transport::WebSocket) => Via::WebSocket,
        _ => Via::Polling,
    }
}

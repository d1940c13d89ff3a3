//! The two transports, without a token.

use metaia_realtime::client::Transport;

use super::answers::waited;
use super::check::DoctorCheck;
use super::facts::{Facts, Handshakes};
use super::finding::Finding;
use super::slow_line::too_slow;
use crate::diagnosis::{
    Diagnosis, Fault, Probe, ProbeResult, Via, damaged_packet, fault_text, probes,
};

const PATH: &str = "/socket.io/";

pub(super) fn polling(facts: &Facts) -> Option<Finding> {
    let handshakes = facts.handshakes.as_ref()?;
    let polled = &handshakes.polled;
    let is_needed = facts.wishes.transport != Some(Transport::WebSocket);
    let flaw = polled.flaw();
    let finding = match (&polled.opened.value, &polled.kept) {
        _ if flaw.is_some() => {
            let found = "handshake 200, which opens no session";
            let diagnosis = damaged_packet(&flaw.unwrap_or_default());
            Finding::problem(DoctorCheck::Polling, found, diagnosis)
        }
        (Ok(reply), Ok(())) if reply.opens_session() => {
            Finding::good(DoctorCheck::Polling, offered(&reply.body))
        }
        (Ok(reply), Err(fault)) if reply.opens_session() => {
            let found = "handshake 200; a later request of the session failed";
            problem(facts, found, fault)
        }
        (Ok(reply), _) => {
            let found = format!("handshake {}{}", reply.status, waited(handshakes));
            problem(facts, &found, &Fault::Reply(reply.clone()))
        }
        (Err(fault), _) => problem(facts, "handshake", fault),
    };
    Some(finding.unless(is_needed).took(polled.opened.took))
}

fn offered(packet: &str) -> String {
    if packet.contains(r#""upgrades":[]"#) {
        "handshake 200, no upgrade offered".to_owned()
    } else if packet.contains(r#""upgrades":["websocket"]"#) {
        "handshake 200, upgrades offered: websocket".to_owned()
    } else {
        "handshake 200".to_owned()
    }
}

fn problem(facts: &Facts, found: &str, fault: &Fault) -> Finding {
    let has_rest = facts.handshakes.as_ref().is_some_and(has_rest_alone);
    let probed = if has_rest {
        ProbeResult::RestAnswers
    } else {
        ProbeResult::Nothing
    };
    let diagnosis = too_slow(facts, fault)
        .unwrap_or_else(|| facts.wishes.diagnose(Via::Polling, PATH, fault, &probed));
    Finding::problem(DoctorCheck::Polling, found, diagnosis)
}

/// Returns whether REST is METAIA's, while the sockets are answered by another program.
fn has_rest_alone(handshakes: &Handshakes) -> bool {
    handshakes.has_rest && !handshakes.polled.opens() && handshakes.websocket.value.is_err()
}

pub(super) fn websocket(facts: &Facts) -> Option<Finding> {
    let handshakes = facts.handshakes.as_ref()?;
    let is_needed = facts.wishes.transport != Some(Transport::Polling);
    let finding = match &handshakes.websocket.value {
        Ok(_) => opened(facts, handshakes),
        Err(fault) => {
            let diagnosis = unopened(facts, handshakes, fault);
            let found = format!("handshake{}", refused_by(fault));
            Finding::problem(DoctorCheck::WebSocket, found, diagnosis)
        }
    };
    Some(finding.unless(is_needed).took(handshakes.websocket.took))
}

/// Returns the diagnosis of a WebSocket that does not open.
fn unopened(facts: &Facts, handshakes: &Handshakes, fault: &Fault) -> Diagnosis {
    if let Some(slow) = too_slow(facts, fault) {
        return slow;
    }
    let probed = if has_rest_alone(handshakes) {
        ProbeResult::RestAnswers
    } else {
        by_polling(facts, handshakes, fault)
    };
    facts.wishes.diagnose(Via::WebSocket, PATH, fault, &probed)
}

/// Returns the answer to polling, if it helps to explain the failure of a WebSocket.
pub(super) fn by_polling(facts: &Facts, handshakes: &Handshakes, fault: &Fault) -> ProbeResult {
    let asked = facts.wishes.asked(Via::WebSocket, PATH);
    let is_silent = matches!(fault, Fault::NoAnswer(_));
    match &handshakes.polled.opened.value {
        Ok(_) if handshakes.polled.flaw().is_some() => ProbeResult::Nothing,
        Ok(reply) if is_silent || probes(&asked, fault).contains(&Probe::Polling) => {
            ProbeResult::Reply(reply.clone())
        }
        _ => ProbeResult::Nothing,
    }
}

/// Returns the status, and the program that refused the WebSocket.
fn refused_by(fault: &Fault) -> String {
    match fault {
        Fault::Reply(reply) => format!(" {} by {}", reply.status, reply.program()),
        Fault::CutWebSocket => " 101".to_owned(),
        _ => String::new(),
    }
}

/// Returns the finding of a WebSocket that is opened directly.
fn opened(facts: &Facts, handshakes: &Handshakes) -> Finding {
    const CHECK: DoctorCheck = DoctorCheck::WebSocket;
    match &handshakes.polled.upgraded {
        Some(Ok(())) => Finding::good(CHECK, "handshake 101; a polling session upgrades to it"),
        None if handshakes.polled.opens() => Finding::good(
            CHECK,
            "handshake 101; the upgrade of a polling session was not tried",
        ),
        None => Finding::good(CHECK, "handshake 101; no polling session to upgrade"),
        Some(Err(fault)) => {
            let found = format!(
                "handshake 101; the upgrade of a polling session failed: {}",
                fault_text(fault)
            );
            let diagnosis = unopened(facts, handshakes, fault);
            let fix = diagnosis.advice.unwrap_or_default();
            let cause = "clients that begin with polling stay with it, and lose nothing";
            Finding::warning(CHECK, found, cause, fix)
        }
    }
}

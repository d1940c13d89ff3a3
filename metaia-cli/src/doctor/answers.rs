//! The server's answers to requests without a token: its health, and the origins that it accepts.

use super::check::DoctorCheck;
use super::facts::{Facts, Handshakes};
use super::finding::Finding;
use crate::diagnosis::{Fault, HttpReply, ProbeResult, Via, hidden_answer};

pub(super) fn server(facts: &Facts) -> Option<Finding> {
    let handshakes = facts.handshakes.as_ref()?;
    let finding = match &handshakes.livez.value {
        Ok(reply) if is_alive(reply) => health(facts, handshakes),
        Ok(reply) if handshakes.has_rest && !is_overloaded(reply) => of_version(
            handshakes,
            format!(
                "/livez is not passed on; /api/ is METAIA's{}",
                version(handshakes)
            ),
        ),
        Ok(reply) if has_sockets(handshakes) && is_of_another_program(reply) => Finding::good(
            DoctorCheck::Server,
            format!(
                "/livez {}: no REST interface of metaia-server, as of a server that embeds the \
                 library",
                reply.status
            ),
        ),
        Ok(reply) => {
            let fault = Fault::Reply(reply.clone());
            let found = format!("/livez {}", reply.status);
            // A client without REST does not need it.
            let is_needed = !has_sockets(handshakes);
            refused(facts, &found, "/livez", &fault).unless(is_needed)
        }
        Err(fault) => refused(facts, "/livez", "/livez", fault),
    };
    Some(finding.took(handshakes.livez.took))
}

/// Returns whether the answer is METAIA's to `/livez`.
fn is_alive(reply: &HttpReply) -> bool {
    let body: Option<serde_json::Value> = serde_json::from_str(&reply.body).ok();
    reply.status == 200 && body.is_some_and(|body| body["status"] == "alive")
}

/// Returns whether the answer says that there is a limit or a trouble, and not that the path is
/// kept from the public.
fn is_overloaded(reply: &HttpReply) -> bool {
    matches!(reply.status, 429 | 500..=599)
}

/// Returns whether a program that knows no `/livez`, or has a page for each path, gives such an
/// answer. Any other one is a refusal.
fn is_of_another_program(reply: &HttpReply) -> bool {
    matches!(reply.status, 200..=299 | 404)
}

fn has_sockets(handshakes: &Handshakes) -> bool {
    handshakes.polled.opens() || handshakes.websocket.value.is_ok()
}

/// Returns the finding of a METAIA server that is alive.
fn health(facts: &Facts, handshakes: &Handshakes) -> Finding {
    let rest = format!("{}{}", version(handshakes), nodes(handshakes));
    match &handshakes.readyz.value {
        Ok(reply) if reply.status == 200 => {
            of_version(handshakes, format!("/livez 200, /readyz 200{rest}"))
        }
        // It is not for the public: the proxy's routes leave it out.
        Ok(reply) if reply.status == 404 => of_version(
            handshakes,
            format!("/livez 200, /readyz is not passed on{rest}"),
        ),
        Ok(reply) => {
            let waited = waited(handshakes);
            let found = format!("/livez 200, /readyz {}{rest}{waited}", reply.status);
            let fault = Fault::Reply(reply.clone());
            refused(facts, &found, "/readyz", &fault)
        }
        Err(fault) => refused(
            facts,
            &format!("/livez 200, /readyz{rest}"),
            "/readyz",
            fault,
        ),
    }
}

/// Returns the finding of a METAIA server: good, unless its version does not fit this tool's.
fn of_version(handshakes: &Handshakes, found: String) -> Finding {
    const OWN: &str = env!("CARGO_PKG_VERSION");
    let server = handshakes.version.as_deref().unwrap_or(OWN);
    if compatible_part(server) == compatible_part(OWN) {
        return Finding::good(DoctorCheck::Server, found);
    }
    Finding::warning(
        DoctorCheck::Server,
        found,
        format!("this metaia is {OWN}: what it asks for, and what it understands, may differ"),
        format!("use the metaia of version {server}, or a server of version {OWN}"),
    )
}

/// Returns the part that compatible versions have in common: `0.1` of `0.1.7`, `2` of `2.1.7`.
fn compatible_part(version: &str) -> &str {
    let last = usize::from(version.starts_with("0."));
    match version.match_indices('.').nth(last) {
        Some((end, _)) => &version[..end],
        None => version,
    }
}

fn refused(facts: &Facts, found: &str, path: &str, fault: &Fault) -> Finding {
    let nothing = ProbeResult::Nothing;
    let diagnosis = facts.wishes.diagnose(Via::Polling, path, fault, &nothing);
    Finding::problem(DoctorCheck::Server, found, diagnosis)
}

fn version(handshakes: &Handshakes) -> String {
    let version = handshakes.version.as_deref();
    version.map_or_else(String::new, |version| format!(", version {version}"))
}

fn nodes(handshakes: &Handshakes) -> String {
    match handshakes.nodes {
        None => String::new(),
        Some(1) => ", 1 node".to_owned(),
        Some(nodes) => format!(", {nodes} nodes"),
    }
}

/// Says that a server which is going down was asked twice.
pub(super) fn waited(handshakes: &Handshakes) -> String {
    handshakes.waited.map_or_else(String::new, |waited| {
        let seconds = waited.as_secs_f64();
        format!(" (asked again after {seconds:.1} s)")
    })
}

pub(super) fn origin(facts: &Facts) -> Option<Finding> {
    let wishes = &facts.wishes;
    let Some(origin) = &wishes.asked.origin else {
        let how = "--origin URL sends one, as a browser does";
        return Some(Finding::not_asked_for(DoctorCheck::Origin, how));
    };
    let handshakes = facts.handshakes.as_ref()?;
    if !has_sockets(handshakes) {
        let why = "neither polling nor a WebSocket is answered";
        return Some(Finding::not_tried(DoctorCheck::Origin, why));
    }
    let found = facts.origin.as_ref()?;
    let finding = match &found.value {
        Ok(answer) if is_hidden(origin, answer.allowed.as_deref(), answer.via) => {
            let found = format!("{origin} is accepted, and a page of it cannot read the answer");
            let diagnosis = hidden_answer(answer.allowed.as_deref());
            Finding::problem(DoctorCheck::Origin, found, diagnosis)
        }
        Ok(_) => Finding::good(DoctorCheck::Origin, format!("{origin} is accepted")),
        Err(fault) => {
            let nothing = ProbeResult::Nothing;
            let diagnosis = wishes.diagnose(Via::Polling, "/socket.io/", fault, &nothing);
            Finding::problem(DoctorCheck::Origin, refused_by(origin, fault), diagnosis)
        }
    };
    Some(finding.took(found.took))
}

/// Returns whether a browser hides the answer to polling from the page.
fn is_hidden(origin: &str, allowed: Option<&str>, via: Via) -> bool {
    via == Via::Polling && !allowed.is_some_and(|allowed| allowed == "*" || allowed == origin)
}

fn refused_by(origin: &str, fault: &Fault) -> String {
    match fault {
        Fault::Reply(reply) if reply.status == 403 => {
            let by = if reply.refuses_origin() {
                "the METAIA server"
            } else {
                reply.program()
            };
            format!("{origin} → 403 by {by}")
        }
        Fault::Reply(reply) => format!("{origin} → {}", reply.status),
        _ => origin.to_owned(),
    }
}

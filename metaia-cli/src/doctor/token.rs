//! The token as this machine sees it and as the server does, and the ways to send it.

use metaia_realtime::auth::SignatureCheck;
use metaia_realtime::client::{TokenIn, Transport};
use metaia_realtime::values::JsonNumber;

use super::check::DoctorCheck;
use super::facts::{Facts, SignIn};
use super::finding::{Finding, in_ms};
use super::route;
use super::slow_line::too_slow;
use super::sockets::by_polling;
use super::token_cure::with_cure;
use crate::diagnosis::{
    Asked, Diagnosis, Fault, ProbeResult, Via, diagnose, different_secrets, pass_authorization,
    refusal_exit,
};
use crate::span;
use crate::token::{Problem, TokenReport};

/// The way to ask for the checks that need a token.
pub(super) const NAME_SOMEBODY: &str = "give --as or --token";

pub(super) fn token(facts: &Facts) -> Option<Finding> {
    const CHECK: DoctorCheck = DoctorCheck::Token;
    let Some(person) = &facts.wishes.person else {
        return Some(Finding::not_asked_for(CHECK, NAME_SOMEBODY));
    };
    let report = facts.token.as_ref()?;
    let found = format!("{person}{}", local(facts, report));
    if let Some(sign_ins) = &facts.sign_ins {
        return Some(as_server_sees_it(facts, report, sign_ins, found));
    }
    if sign_in_is_out_of_question(facts) || facts.is_over {
        let found = format!("{found}; the server was not asked");
        return Some(as_this_machine_sees_it(report, found));
    }
    None
}

/// Returns whether no way to sign in can be tried.
pub(super) fn sign_in_is_out_of_question(facts: &Facts) -> bool {
    route::closed(facts).is_some()
        || (facts.handshakes.is_some() && facts.working_transport().is_none())
}

/// Describes the end and the signature of a token.
fn local(facts: &Facts, report: &TokenReport) -> String {
    if !report.is_jwt() {
        return String::new();
    }
    let clock = match facts.dated_reply() {
        Some(_) => "the server's clock",
        None => "this machine's clock",
    };
    let ends = ends(report).map_or_else(String::new, |ends| format!(", {ends} by {clock}"));
    let with = facts.wishes.secret_from.as_deref().unwrap_or("the secret");
    let signature = match report.check {
        SignatureCheck::Good => format!("signature good with {with}"),
        SignatureCheck::Bad => format!("signed with another secret than {with}"),
        SignatureCheck::Unchecked => not_checked(report, facts),
    };
    format!("{ends}; {signature}")
}

fn not_checked(report: &TokenReport, facts: &Facts) -> String {
    let why = match report.public_algorithm() {
        Some(algorithm) => {
            format!("signed with {algorithm}, which `metaia token inspect --jwks` checks")
        }
        None if facts.wishes.secret_from.is_some() => "it is not one by HS256".to_owned(),
        None => "no secret is at hand".to_owned(),
    };
    format!("signature not checked: {why}")
}

fn ends(report: &TokenReport) -> Option<String> {
    let exp = JsonNumber::parse(report.claims.get("exp")?.get())?;
    let ms = exp.floor_thousandfold();
    let distance = span::rough(ms.abs_diff(report.now) / 1_000);
    Some(if ms <= report.now {
        format!("ended {distance} ago")
    } else {
        format!("ends in {distance}")
    })
}

fn as_this_machine_sees_it(report: &TokenReport, found: String) -> Finding {
    const CHECK: DoctorCheck = DoctorCheck::Token;
    match (report.refusal, problems(report)) {
        (Some(error), Some(problems)) => {
            let diagnosis = Diagnosis {
                exit: refusal_exit(error.code()),
                cause: problems,
                advice: Some("`metaia token inspect` shows more".to_owned()),
            };
            let diagnosis = with_cure(report, diagnosis);
            Finding::problem(CHECK, found, diagnosis)
        }
        _ => warned(report, found),
    }
}

fn warned(report: &TokenReport, found: String) -> Finding {
    const CHECK: DoctorCheck = DoctorCheck::Token;
    let warnings: Vec<&str> = messages(&report.warnings);
    if warnings.is_empty() {
        return Finding::good(CHECK, found);
    }
    let fix = "`metaia token inspect` shows more";
    Finding::warning(CHECK, found, warnings.join("; "), fix)
}

/// Returns what this machine has against the token.
fn problems(report: &TokenReport) -> Option<String> {
    let problems = messages(&report.problems);
    (!problems.is_empty()).then(|| problems.join("; "))
}

fn messages(problems: &[Problem]) -> Vec<&str> {
    problems.iter().map(|problem| &*problem.message).collect()
}

/// Returns the finding of a token that the server was shown.
fn as_server_sees_it(
    facts: &Facts,
    report: &TokenReport,
    sign_ins: &[SignIn],
    found: String,
) -> Finding {
    const CHECK: DoctorCheck = DoctorCheck::Token;
    if sign_ins.iter().any(|one| one.is_fickle) {
        return warned(report, format!("{found}; one of the servers accepts it"));
    }
    if sign_ins.iter().any(|one| one.result.value.is_ok()) {
        return warned(report, format!("{found}; the server accepts it"));
    }
    let Some((sign_in, fault)) = refused(sign_ins) else {
        let found = format!("{found}; the server did not judge it");
        return as_this_machine_sees_it(report, found);
    };
    let diagnosis = diagnose(&asked(facts, sign_in), fault, &by_the_clock(facts));
    let diagnosis = with_cure(report, diagnosis);
    Finding::problem(CHECK, contradicted(report, fault, found), diagnosis)
}

/// Adds what this machine and the server do not agree about.
fn contradicted(report: &TokenReport, fault: &Fault, found: String) -> String {
    let code = code_of(fault);
    match (report.check, problems(report)) {
        (SignatureCheck::Good, None) if code == Some("unauthorized") => format!(
            "{found}: good with this folder's secret, refused by the server: it has another one"
        ),
        (_, Some(problems)) => format!("{found}: {problems}"),
        _ => found,
    }
}

/// Returns the code with which the server refuses the token everywhere.
pub(super) fn refusal(facts: &Facts) -> Option<&str> {
    let sign_ins = facts.sign_ins.as_ref()?;
    let is_accepted = sign_ins.iter().any(|one| one.result.value.is_ok());
    let (_, fault) = refused(sign_ins).filter(|_| !is_accepted)?;
    code_of(fault)
}

/// Returns the refusal of the token in the payload, which nothing between can remove; otherwise
/// that in the header.
fn refused(sign_ins: &[SignIn]) -> Option<(&SignIn, &Fault)> {
    let refused = sign_ins.iter().filter_map(|one| match &one.result.value {
        Err(fault @ Fault::Refused(_)) => Some((one, fault)),
        _ => None,
    });
    refused.min_by_key(|(one, _)| one.place == TokenIn::Header)
}

fn code_of(fault: &Fault) -> Option<&str> {
    match fault {
        Fault::Refused(refusal) => Some(&refusal.code),
        _ => None,
    }
}

/// Returns a connection, as a diagnosis needs it.
fn asked(facts: &Facts, sign_in: &SignIn) -> Asked {
    let via = match sign_in.transport {
        Transport::WebSocket => Via::WebSocket,
        _ => Via::Polling,
    };
    Asked {
        has_token_in_header_alone: sign_in.place == TokenIn::Header,
        ..facts.wishes.asked(via, "/socket.io/")
    }
}

/// Returns an answer that tells the server's time.
fn by_the_clock(facts: &Facts) -> ProbeResult {
    match facts.dated_reply() {
        Some(reply) => ProbeResult::Reply(reply.clone()),
        None => ProbeResult::Nothing,
    }
}

pub(super) fn sign_in(facts: &Facts) -> Option<Finding> {
    const CHECK: DoctorCheck = DoctorCheck::SignIn;
    if let Some(before) = without_session(facts, CHECK) {
        return Some(before);
    }
    let sign_ins = facts.sign_ins.as_ref()?;
    let said: Vec<String> = sign_ins.iter().map(said).collect();
    let said = said.join("; ");
    let longest = sign_ins.iter().map(|one| one.result.took).max();
    let accepted = sign_ins.iter().any(|one| one.result.value.is_ok());
    let Some((failed, fault)) = failed(sign_ins) else {
        return Some(Finding::good(CHECK, said).took(longest?));
    };
    if !accepted && refusal(facts).is_some() {
        let places: Vec<&str> = sign_ins.iter().map(|one| place(one.place)).collect();
        let why = format!(
            "the token is refused in the {}",
            places.join(" and in the ")
        );
        return Some(Finding::not_tried(CHECK, why));
    }
    let wanted = facts.wishes.token_in;
    let is_needed =
        !accepted || failed.is_fickle || wanted == TokenIn::Both || wanted == failed.place;
    let diagnosis = why_failed(facts, failed, fault, accepted);
    Some(
        Finding::problem(CHECK, said, diagnosis)
            .unless(is_needed)
            .took(longest?),
    )
}

/// Returns the diagnosis of a way that failed; `accepted` tells if another one did not.
fn why_failed(facts: &Facts, failed: &SignIn, fault: &Fault, accepted: bool) -> Diagnosis {
    if let (true, Some(code)) = (failed.is_fickle, code_of(fault)) {
        return different_secrets(code);
    }
    if let Some(slow) = too_slow(facts, fault) {
        return slow;
    }
    let is_refused_in_header = failed.place == TokenIn::Header && code_of(fault).is_some();
    if !accepted || !is_refused_in_header {
        let probed = unanswered(facts, failed, fault);
        return diagnose(&asked(facts, failed), fault, &probed);
    }
    let probed = ProbeResult::AcceptedInPayload;
    let mut diagnosis = diagnose(&asked(facts, failed), fault, &probed);
    if facts.wishes.token_in == TokenIn::Payload {
        // It does what would be advised otherwise.
        diagnosis.advice = Some(pass_authorization().to_owned());
    }
    diagnosis
}

/// Returns what explains a WebSocket that opens and then stays silent.
fn unanswered(facts: &Facts, failed: &SignIn, fault: &Fault) -> ProbeResult {
    match (&facts.handshakes, fault) {
        (Some(handshakes), Fault::NoAnswer(_)) if failed.transport == Transport::WebSocket => {
            by_polling(facts, handshakes, fault)
        }
        _ => ProbeResult::Nothing,
    }
}

/// Returns the first way that failed.
fn failed(sign_ins: &[SignIn]) -> Option<(&SignIn, &Fault)> {
    sign_ins
        .iter()
        .find_map(|one| Some((one, one.result.value.as_ref().err()?)))
}

fn place(place: TokenIn) -> &'static str {
    match place {
        TokenIn::Header => "header",
        _ => "payload",
    }
}

/// Describes one way to sign in.
fn said(sign_in: &SignIn) -> String {
    let place = match sign_in.place {
        TokenIn::Header => "Authorization header (phones)",
        _ => "payload (browsers)",
    };
    let result = match &sign_in.result.value {
        Ok(()) => in_ms(sign_in.result.took),
        Err(Fault::Refused(refusal)) => refusal.code.clone(),
        Err(_) => "failed".to_owned(),
    };
    format!("{place}: {result}")
}

/// Returns the finding of a check that needs a session, if none can be tried.
pub(super) fn without_session(facts: &Facts, check: DoctorCheck) -> Option<Finding> {
    if facts.wishes.person.is_none() {
        return Some(Finding::not_asked_for(check, NAME_SOMEBODY));
    }
    let handshakes = facts.handshakes.as_ref()?;
    if facts.working_transport().is_some() {
        return None;
    }
    let failed = match facts.wishes.transport {
        Some(Transport::WebSocket) => "the WebSocket failed",
        Some(_) => "polling failed",
        None if handshakes.polled.opens() => "no transport works",
        None => "neither polling nor the WebSocket works",
    };
    Some(Finding::not_tried(check, failed))
}

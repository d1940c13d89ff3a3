//! The clocks of this machine and of the server.

use metaia_realtime::auth::LEEWAY_MS;

use super::check::DoctorCheck;
use super::facts::Facts;
use super::finding::Finding;
use super::token::{refusal, sign_in_is_out_of_question};
use crate::diagnosis::{Diagnosis, clock_advice, difference, refusal_exit};

pub(super) fn clock(facts: &Facts) -> Option<Finding> {
    const CHECK: DoctorCheck = DoctorCheck::Clock;
    facts.handshakes.as_ref()?;
    let Some(reply) = facts.dated_reply() else {
        return Some(Finding::not_tried(CHECK, "no answer has a Date"));
    };
    let Some(ahead) = reply.server_ahead_ms() else {
        let agrees = "this machine's clock agrees with the server's, to 2 s (Date)";
        return Some(Finding::good(CHECK, agrees));
    };
    let found = format!("{} (Date)", difference(ahead));
    if ahead.unsigned_abs() <= LEEWAY_MS.unsigned_abs() {
        let found = format!("{found}; the leeway for tokens is 5 s");
        return Some(Finding::good(CHECK, found));
    }
    judged(facts, found)
}

/// Returns the finding of clocks that differ by more than the leeway. It stops a client only if the
/// server refuses its token for its time, which must be known first.
fn judged(facts: &Facts, found: String) -> Option<Finding> {
    const CHECK: DoctorCheck = DoctorCheck::Clock;
    let cause = "the leeway for tokens is 5 s: what one side signs is too early or too late for \
                 the other";
    let is_known = facts.wishes.person.is_none() || sign_in_is_out_of_question(facts);
    if !is_known && facts.sign_ins.is_none() {
        return None;
    }
    match refusal(facts) {
        Some(code) if code == "token_expired" || is_from_the_future(facts) => {
            let diagnosis = Diagnosis {
                exit: refusal_exit(code),
                cause: cause.to_owned(),
                advice: Some(clock_advice().to_owned()),
            };
            Some(Finding::problem(CHECK, found, diagnosis))
        }
        _ => Some(Finding::warning(CHECK, found, cause, clock_advice())),
    }
}

/// Returns whether the token was issued in the future, by the server's clock.
fn is_from_the_future(facts: &Facts) -> bool {
    let problems = facts.token.iter().flat_map(|report| &report.problems);
    problems
        .map(|problem| problem.code)
        .any(|code| code == "issued_later")
}

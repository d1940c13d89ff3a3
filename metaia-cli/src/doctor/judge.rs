//! The findings of all checks.

use super::check::DoctorCheck;
use super::facts::Facts;
use super::finding::Finding;
use super::{answers, clock, idle, route, session, sockets, token};

/// Returns the finding of a check; `None` as long as its facts are not known.
pub(crate) fn judge(check: DoctorCheck, facts: &Facts) -> Option<Finding> {
    if let Some(unreached) = unreached(check, facts) {
        return Some(unreached);
    }
    let found = match check {
        DoctorCheck::Name => route::name(facts),
        DoctorCheck::Port => route::port(facts),
        DoctorCheck::Server => answers::server(facts),
        DoctorCheck::Polling => sockets::polling(facts),
        DoctorCheck::WebSocket => sockets::websocket(facts),
        DoctorCheck::Origin => answers::origin(facts),
        DoctorCheck::Clock => clock::clock(facts),
        DoctorCheck::Token => token::token(facts),
        DoctorCheck::SignIn => token::sign_in(facts),
        DoctorCheck::Rooms => session::rooms(facts),
        DoctorCheck::Delivery => session::delivery(facts),
        DoctorCheck::Event => session::event(facts),
        DoctorCheck::Idle => idle::idle(facts),
    };
    match found {
        None if facts.is_over => Some(Finding::not_tried(check, "interrupted")),
        found => found,
    }
}

/// Returns the finding of a check that needs the server, if the server is not reached.
fn unreached(check: DoctorCheck, facts: &Facts) -> Option<Finding> {
    let is_left_out = match check {
        DoctorCheck::Origin => facts.wishes.asked.origin.is_none(),
        DoctorCheck::Idle => facts.wishes.idle.is_none(),
        DoctorCheck::SignIn | DoctorCheck::Rooms | DoctorCheck::Delivery => {
            facts.wishes.person.is_none()
        }
        _ => false,
    };
    if is_left_out {
        return None;
    }
    let failed = match check {
        DoctorCheck::Name | DoctorCheck::Token | DoctorCheck::Event => return None,
        DoctorCheck::Port => route::name(facts),
        _ => route::closed(facts),
    };
    let failed = failed.filter(Finding::is_problem)?;
    let why = format!("{} failed", failed.check.label());
    Some(Finding::not_tried(check, why))
}

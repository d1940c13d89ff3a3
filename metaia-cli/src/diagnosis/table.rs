//! The entry of the table: passes each fault to the part that judges it.

use super::fault::{Asked, Fault, ProbeResult, TokenKind, Via};
use super::finding::Diagnosis;
use super::{certificate, link, token};
use crate::exit::Exit;

/// Returns the cause in a few words, without the address and without advice.
pub(crate) fn fault_text(fault: &Fault) -> String {
    let asked = Asked {
        base: String::new(),
        path: String::new(),
        via: Via::WebSocket,
        token: TokenKind::None,
        has_token_in_header_alone: false,
        origin: None,
        has_own_certificates: false,
        proxy: None,
    };
    diagnose(&asked, fault, &ProbeResult::Nothing).cause
}

/// Returns the diagnosis of a failed request or connection. `probed` is the answer to one of its
/// [`super::probes`].
pub(crate) fn diagnose(asked: &Asked, fault: &Fault, probed: &ProbeResult) -> Diagnosis {
    let found = match fault {
        Fault::Invalid(text) => return Diagnosis::without_advice(Exit::Usage, text),
        Fault::Reply(reply) => return link::of_reply(asked, reply, probed),
        Fault::Refused(refusal) => return token::of_refusal(asked, refusal, probed),
        Fault::Certificate(flaw) => certificate::diagnose(asked, flaw),
        other => link::diagnose(asked, other, probed),
    };
    match &asked.proxy {
        Some(variable) => found.and(&format!(
            "{variable} is set, but metaia uses no proxy and connects directly"
        )),
        None => found,
    }
}

//! The entrance of the table: which part of it judges which trouble.

use super::finding::Diagnosis;
use super::trouble::{Asked, SecondLook, TokenKind, Trouble, Via};
use super::{certificate, link, token};
use crate::exit::Exit;

/// Returns what went wrong, in a few words, without the address and without a cure.
pub(crate) fn trouble_text(trouble: &Trouble) -> String {
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
    diagnose(&asked, trouble, &SecondLook::Nothing).cause
}

/// Returns the diagnosis of a failed request or connection. `second` is the answer to one of its
/// [`super::looks`].
pub(crate) fn diagnose(asked: &Asked, trouble: &Trouble, second: &SecondLook) -> Diagnosis {
    let found = match trouble {
        Trouble::Invalid(text) => return Diagnosis::without_cure(Exit::Usage, text),
        Trouble::Reply(reply) => return link::of_reply(asked, reply, second),
        Trouble::Refused(code) => return token::of_refusal(asked, code, second),
        Trouble::Certificate(flaw) => certificate::diagnose(asked, flaw),
        other => link::diagnose(asked, other, second),
    };
    match &asked.proxy {
        Some(variable) => found.and(&format!(
            "{variable} is set, but metaia uses no proxy and connects directly"
        )),
        None => found,
    }
}

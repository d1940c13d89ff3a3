//! The problems of a token and the warnings, in words for its owner.

use metaia_realtime::Limits;
use metaia_realtime::auth::{TokenFlaw, TokenWarning};
use serde::Serialize;

use super::pasted::PastedToken;
use super::printable::printable;
use crate::span;

/// The year 9999 in ms since the Unix epoch: a time from there on is probably in milliseconds.
const YEAR_9999_MS: i64 = 253_370_764_800_000;

/// A reason for which a server refuses the token, or a warning.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Problem {
    pub(crate) code: &'static str,
    pub(crate) message: String,
}

impl Problem {
    /// Returns the problem of a flaw, at a time in Unix milliseconds.
    pub(super) fn of_flaw(flaw: &TokenFlaw, now: i64) -> Self {
        Self {
            code: flaw.code(),
            // It quotes claims.
            message: printable(&flaw_message(flaw, now)),
        }
    }

    pub(super) fn of_warning(warning: &TokenWarning) -> Self {
        Self {
            code: warning.code(),
            message: warning.to_string(),
        }
    }

    /// Returns the problem of a token that a server with the default limits does not read.
    pub(super) fn of_length(token: &str) -> Option<Self> {
        let limit = Limits::default().token_bytes;
        if token.len() <= limit {
            return None;
        }
        Some(Self {
            code: "length",
            message: format!(
                "{} bytes long; the server reads at most {limit}",
                token.len()
            ),
        })
    }
}

/// Returns a warning for each word that was left out.
pub(super) fn left_out(pasted: &PastedToken<'_>) -> impl Iterator<Item = Problem> {
    pasted.left_out.iter().map(|word| Problem {
        code: "pasted",
        message: format!("`{word}` is not part of the token: it was left out"),
    })
}

fn flaw_message(flaw: &TokenFlaw, now: i64) -> String {
    match flaw {
        TokenFlaw::Expired(at) => format!("expired {} ago", between(*at, now)),
        TokenFlaw::NotYet(at) if *at >= YEAR_9999_MS => in_milliseconds("nbf"),
        TokenFlaw::NotYet(at) => {
            let wait = between(*at, now);
            format!("not valid until {wait} from now: check the clocks")
        }
        TokenFlaw::IssuedLater(at) if *at >= YEAR_9999_MS => in_milliseconds("iat"),
        TokenFlaw::IssuedLater(at) => {
            let ahead = between(*at, now);
            format!("issued {ahead} in the future: check the clocks")
        }
        other => other.to_string(),
    }
}

fn in_milliseconds(claim: &str) -> String {
    format!("`{claim}` is in the year 9999 or later: it must be in seconds, not in milliseconds")
}

fn between(at: i64, now: i64) -> String {
    span::rough(at.abs_diff(now) / 1_000)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_has_no_control_characters() {
        let flaw = TokenFlaw::Algorithm("[\n\"good\u{9b}\"]".to_owned());
        let message = Problem::of_flaw(&flaw, 0).message;
        assert!(
            message.starts_with("signed with [\\n\"good\\u{9b}\"]; "),
            "{message}"
        );
    }
}

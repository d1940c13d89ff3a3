//! Clients that give up after they were connected.

use metaia_realtime::client::GaveUp;

use super::token::refused_hint;
use super::trouble::TokenKind;
use crate::exit::{Exit, Failure};

impl From<GaveUp> for Failure {
    fn from(reason: GaveUp) -> Self {
        let failure = Self::new(exit(&reason), reason.to_string()).of_server();
        match hint(&reason) {
            Some(hint) => failure.hint(hint),
            None => failure,
        }
    }
}

fn exit(reason: &GaveUp) -> Exit {
    match reason {
        GaveUp::Refused { message, .. } if message == "forbidden" => Exit::Denied,
        GaveUp::Refused { .. } => Exit::Unauthenticated,
        GaveUp::ServerDisconnect => Exit::Failed,
        _ => Exit::Unreachable,
    }
}

fn hint(reason: &GaveUp) -> Option<&'static str> {
    match reason {
        GaveUp::Refused { message, .. } => refused_hint(message, TokenKind::Supplied),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(reason: GaveUp, exit: Exit, chain: &str) {
        let failure = Failure::from(reason);
        assert_eq!((failure.exit, failure.chain().as_str()), (exit, chain));
    }

    #[test]
    fn a_refused_token_is_an_authentication_failure() {
        let refused = |message: &str| GaveUp::Refused {
            message: message.to_owned(),
            data: None,
        };
        let chain = "the server refused the connection: unauthorized";
        check(refused("unauthorized"), Exit::Unauthenticated, chain);
        let chain = "the server refused the connection: forbidden";
        check(refused("forbidden"), Exit::Denied, chain);
    }

    #[test]
    fn a_session_ended_by_the_server_is_a_failure() {
        let chain = "the server ended the session";
        check(GaveUp::ServerDisconnect, Exit::Failed, chain);
    }
}

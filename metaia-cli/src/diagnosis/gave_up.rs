//! Clients that give up after they were connected.

use metaia_realtime::client::GaveUp;

use super::fault::TokenKind;
use super::refusal::Refusal;
use super::token::{refusal_exit, refused_hint, source};
use crate::exit::{Exit, Failure};

/// Returns the failure of a client that makes no other attempt. `token` is the source of its
/// token. Only a refusal is one of authentication; in any other case the session is not connected.
pub(crate) fn gave_up(reason: &GaveUp, token: TokenKind) -> Failure {
    let (message, hint) = match reason {
        GaveUp::Refused { message, data } => {
            let refusal = Refusal::new(message, data.as_ref()).text();
            let text = format!("{refusal}{}", source(token));
            (text, refused_hint(message, token))
        }
        _ => (reason.to_string(), None),
    };
    let failure = Failure::new(exit(reason), message).of_server();
    match hint {
        Some(hint) => failure.hint(hint),
        None => failure,
    }
}

fn exit(reason: &GaveUp) -> Exit {
    match reason {
        GaveUp::Refused { message, .. } => refusal_exit(message),
        _ => Exit::Unreachable,
    }
}

#[cfg(test)]
mod tests {
    use super::super::fault::SuppliedBy;
    use super::*;

    #[track_caller]
    fn check(reason: GaveUp, exit: Exit, chain: &str) {
        let failure = gave_up(&reason, TokenKind::Minted);
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
    fn a_session_ended_by_the_server_is_not_connected() {
        let chain = "the server ended the session";
        check(GaveUp::ServerDisconnect, Exit::Unreachable, chain);
    }

    #[test]
    fn the_hint_for_a_token_depends_on_its_source() {
        let refused = GaveUp::Refused {
            message: "unauthorized".to_owned(),
            data: None,
        };
        for (token, part) in [
            (TokenKind::Minted, "set JWT_SECRET"),
            (
                TokenKind::Supplied(SuppliedBy::File),
                "metaia token inspect",
            ),
        ] {
            let hint = gave_up(&refused, token).hint.unwrap();
            assert!(hint.contains(part), "{hint}");
        }
        let supplied = TokenKind::Supplied(SuppliedBy::DotEnv);
        let said = gave_up(&refused, supplied).chain();
        let place = "unauthorized (the token is from METAIA_TOKEN in .env)";
        assert!(said.ends_with(place), "{said}");
    }
}

//! The table of cases: what was seen, and the cause, the cure and the exit code.

mod links;
mod pages;
mod tokens;

use super::*;
use crate::exit::Exit;

pub(super) fn asked(via: Via) -> Asked {
    let path = match via {
        Via::Rest => "/api/orders",
        Via::WebSocket | Via::Polling => "/socket.io/",
    };
    Asked {
        base: "http://a.example".to_owned(),
        path: path.to_owned(),
        via,
        token: TokenKind::Minted,
        has_token_in_header_alone: via == Via::Rest,
        origin: None,
        has_own_certificates: false,
        proxy: None,
    }
}

fn by_tls() -> Asked {
    Asked {
        base: "https://a.example".to_owned(),
        ..asked(Via::WebSocket)
    }
}

fn reply(status: u16, headers: &[(&str, &str)], body: &str) -> HttpReply {
    let headers = headers.iter();
    HttpReply {
        status,
        headers: headers
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect(),
        body: body.to_owned(),
        is_complete: true,
        read_at: 1_700_000_000_000,
    }
}

fn polling_works() -> SecondLook {
    SecondLook::Reply(reply(200, &[], r#"0{"sid":"a"}"#))
}

/// Checks the exit code, and that cause and cure contain these parts.
#[track_caller]
fn check_at(asked: &Asked, trouble: Trouble, second: &SecondLook, expected: (Exit, &str, &str)) {
    let found = diagnose(asked, &trouble, second);
    let (exit, cause, cure) = expected;
    assert_eq!(found.exit, exit, "{found:?}");
    assert!(found.cause.contains(cause), "{found:?}");
    let found_cure = found.cure.clone().unwrap_or_default();
    assert!(found_cure.contains(cure), "{found:?}");
    assert!(!found.cause.contains('<'), "{found:?}");
}

#[track_caller]
fn check(trouble: Trouble, expected: (Exit, &str, &str)) {
    check_at(
        &asked(Via::WebSocket),
        trouble,
        &SecondLook::Nothing,
        expected,
    );
}

/// The same answer means the same for sockets and REST.
#[track_caller]
fn check_reply(reply: HttpReply, expected: (Exit, &str, &str)) {
    for via in [Via::Rest, Via::WebSocket, Via::Polling] {
        let trouble = Trouble::Reply(reply.clone());
        check_at(&asked(via), trouble, &SecondLook::Nothing, expected);
    }
}

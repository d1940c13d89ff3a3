//! The table of cases: the fault, and its cause, advice and exit code.

mod links;
mod pages;
mod tokens;

use super::refusal::Refusal;
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

fn refused(code: &str) -> Fault {
    Fault::Refused(Refusal::new(code, None))
}

fn polling_works() -> ProbeResult {
    ProbeResult::Reply(reply(200, &[], r#"0{"sid":"a"}"#))
}

/// Checks the exit code, and that cause and advice contain these parts.
#[track_caller]
fn check_at(asked: &Asked, fault: Fault, probed: &ProbeResult, expected: (Exit, &str, &str)) {
    let found = diagnose(asked, &fault, probed);
    let (exit, cause, advice) = expected;
    assert_eq!(found.exit, exit, "{found:?}");
    assert!(found.cause.contains(cause), "{found:?}");
    let found_advice = found.advice.clone().unwrap_or_default();
    assert!(found_advice.contains(advice), "{found:?}");
    assert!(!found.cause.contains('<'), "{found:?}");
}

#[track_caller]
fn check(fault: Fault, expected: (Exit, &str, &str)) {
    check_at(
        &asked(Via::WebSocket),
        fault,
        &ProbeResult::Nothing,
        expected,
    );
}

/// The same answer means the same for sockets and REST.
#[track_caller]
fn check_reply(reply: HttpReply, expected: (Exit, &str, &str)) {
    for via in [Via::Rest, Via::WebSocket, Via::Polling] {
        let fault = Fault::Reply(reply.clone());
        check_at(&asked(via), fault, &ProbeResult::Nothing, expected);
    }
}

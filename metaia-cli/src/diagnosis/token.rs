//! Tokens that the server refuses.

use super::clock::difference;
use super::fault::{Asked, ProbeResult, TokenKind, Via};
use super::finding::Diagnosis;
use super::refusal::Refusal;
use super::reply::HttpReply;
use crate::exit::Exit;

/// The leeway of the server for the times in tokens.
const LEEWAY_MS: i64 = 5_000;

const SET_THE_CLOCK: &str = "set this machine's clock: the times in tokens are compared with \
                             the server's clock";

const SEND_CREDENTIALS: &str = "the request has no credentials: use --as or --token";

const SET_THE_CLOCK_AND_MINT: &str = "set this machine's clock if the token was minted by it, \
                                      then mint a new one with `metaia token mint`";

const UNKNOWN_ROLE: &str =
    "the server does not know the role of the token: `metaia token inspect` shows it";

const PASS_AUTHORIZATION: &str = "\
the line that nginx needs:
  proxy_set_header Authorization $http_authorization;";

const USE_PAYLOAD: &str =
    "until then, send the token in the payload (auth.token), as browsers do: --auth payload";

const DROPPED: &str = "Or a proxy on the way drops the Authorization header: then \
                       `metaia tail --auth payload` works with the same token";

/// Returns the exit code for a token that is refused with this code: the same for sockets, REST and
/// `token inspect`.
pub(crate) fn refusal_exit(code: &str) -> Exit {
    match code {
        // The token is good, and its role is not one of this system.
        "forbidden" => Exit::Denied,
        _ => Exit::Unauthenticated,
    }
}

/// Returns whether a server of this project says that these credentials may not do it.
pub(crate) fn lacks_right(reply: &HttpReply) -> bool {
    let reason = reply.reason();
    matches!(reply.status, 401 | 403)
        && reason.is_some_and(|reason| reason.is("unauthorized") || reason.is("forbidden"))
}

/// Returns whether a clock that is wrong may be the reason for this refusal. A server whose clock
/// is behind this machine's refuses each token that was minted here: it comes from the future.
pub(super) fn depends_on_clock(asked: &Asked, code: &str) -> bool {
    match code {
        "token_expired" => true,
        "unauthorized" => asked.token == TokenKind::Minted,
        _ => false,
    }
}

/// Returns whether clocks that differ by this much explain the refusal.
fn explains(server_ahead_ms: i64, code: &str) -> bool {
    code == "token_expired" || server_ahead_ms < -LEEWAY_MS
}

/// Returns the diagnosis of Socket.IO's refusal.
pub(super) fn of_refusal(asked: &Asked, refusal: &Refusal, probed: &ProbeResult) -> Diagnosis {
    let ahead = match probed {
        ProbeResult::Reply(reply) => reply.server_ahead_ms(),
        ProbeResult::AcceptedInPayload if refusal.code == "unauthorized" => {
            return dropped(refusal);
        }
        _ => None,
    };
    refused(asked, &refusal.code, ahead, refusal.text())
}

/// Returns the diagnosis of a token that is refused in the header alone.
fn dropped(refusal: &Refusal) -> Diagnosis {
    let text = refusal.text();
    let cause = format!(
        "{text}; it accepts the same token in the payload: something between drops the \
         Authorization header"
    );
    let advice = format!("{PASS_AUTHORIZATION}\n{USE_PAYLOAD}");
    Diagnosis::new(refusal_exit(&refusal.code), cause, advice)
}

/// Returns the advice for a proxy that drops the `Authorization` header.
pub(crate) fn pass_authorization() -> &'static str {
    PASS_AUTHORIZATION
}

/// Returns the diagnosis of a token that is refused with this code, and accepted when it is sent
/// once more in the same way.
pub(crate) fn different_secrets(code: &str) -> Diagnosis {
    Diagnosis::new(
        refusal_exit(code),
        format!(
            "the token is once refused ({code}) and once accepted: several servers are behind \
             this address, and they do not accept the same tokens"
        ),
        "give all nodes the same JWT_SECRET, and the same clock",
    )
}

/// Returns the advice for clocks that differ.
pub(crate) fn clock_advice() -> &'static str {
    SET_THE_CLOCK
}

/// Returns the diagnosis of the answer 401 with this code.
pub(super) fn of_unauthorized(
    asked: &Asked,
    code: &str,
    reply: &HttpReply,
    cause: String,
) -> Diagnosis {
    refused(asked, code, reply.server_ahead_ms(), cause)
}

fn refused(asked: &Asked, code: &str, ahead: Option<i64>, cause: String) -> Diagnosis {
    let exit = refusal_exit(code);
    let ahead = ahead.filter(|ahead| depends_on_clock(asked, code) && explains(*ahead, code));
    let advice = match (asked.token, ahead) {
        // It was good by this machine's clock a moment ago.
        (TokenKind::Minted, Some(_)) => Some(SET_THE_CLOCK),
        (TokenKind::Supplied(_), Some(_)) => Some(SET_THE_CLOCK_AND_MINT),
        _ => refused_hint(code, asked.token),
    };
    let clock = ahead.map(|ahead| format!("; {}", difference(ahead)));
    let found = Diagnosis {
        exit,
        cause: cause + &source(asked.token) + &clock.unwrap_or_default(),
        advice: advice.map(str::to_owned),
    };
    if code == "unauthorized" && may_be_dropped(asked) {
        found.and(DROPPED)
    } else {
        found
    }
}

/// Returns the place of a supplied token, in parentheses. It may be another one than its user
/// thinks of, such as a forgotten `.env`.
pub(super) fn source(token: TokenKind) -> String {
    match token {
        TokenKind::Supplied(by) => format!(" (the token is from {})", by.place()),
        TokenKind::Minted | TokenKind::ApiKey | TokenKind::None => String::new(),
    }
}

/// Returns whether the server may have got no token at all.
fn may_be_dropped(asked: &Asked) -> bool {
    let has_token = matches!(asked.token, TokenKind::Minted | TokenKind::Supplied(_));
    has_token && asked.has_token_in_header_alone
}

/// Returns what to do about the answer 403 of a server of this project.
pub(super) fn forbidden_hint(asked: &Asked) -> &'static str {
    match (asked.via, asked.token) {
        // The only reason for which a handshake is forbidden.
        (Via::WebSocket | Via::Polling, _) => UNKNOWN_ROLE,
        (Via::Rest, TokenKind::ApiKey) => "an API key may not do everything: use --as or --token",
        (Via::Rest, TokenKind::None) => SEND_CREDENTIALS,
        (Via::Rest, _) => {
            "this role or user may not do it: use --as to act as another one; \
             `metaia token inspect` shows the role of a token"
        }
    }
}

/// Returns what to do about a refusal.
pub(super) fn refused_hint(code: &str, token: TokenKind) -> Option<&'static str> {
    Some(match (code, token) {
        ("unauthorized", TokenKind::ApiKey) => "the server does not know this API key",
        ("unauthorized", TokenKind::None) => SEND_CREDENTIALS,
        ("unauthorized", TokenKind::Minted) => {
            "the server has another secret than this folder and environment: \
             run metaia where the server was started, or set JWT_SECRET"
        }
        ("unauthorized", TokenKind::Supplied(_)) => {
            "the server has a different secret, or the token is damaged: \
             `metaia token inspect` shows which"
        }
        ("token_expired", TokenKind::Minted) => {
            "metaia minted this token just now: this machine's clock and the server's may differ"
        }
        ("token_expired", _) => "mint a new one with `metaia token mint`, or use --as",
        ("forbidden", _) => UNKNOWN_ROLE,
        _ => return None,
    })
}

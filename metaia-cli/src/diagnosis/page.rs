//! Answers of servers of this project that refuse, and pages of proxies and of other programs.

use super::fault::{Asked, Via};
use super::finding::Diagnosis;
use super::reply::{HttpReply, Reason};
use super::{engine_io, token};
use crate::exit::Exit;

/// The most characters of a page that a message shows.
const MAX_SHOWN: usize = 120;

/// Texts with which servers answer a request without TLS: nginx, Apache, Go.
const PLAIN_AT_TLS: [&str; 3] = [
    "plain http request was sent to https port",
    "speaking plain http to an ssl-enabled server port",
    "sent an http request to an https server",
];

/// Returns whether a server complains about a request without TLS.
pub(super) fn expects_tls(asked: &Asked, reply: &HttpReply) -> bool {
    let body = reply.body.to_lowercase();
    let complains = PLAIN_AT_TLS.iter().any(|text| body.contains(text));
    !asked.is_tls() && matches!(reply.status, 400 | 497) && complains
}

pub(super) fn diagnose(asked: &Asked, reply: &HttpReply) -> Diagnosis {
    let reason = reply.reason();
    let exit = exit(reply.status, reason.as_ref());
    match reason {
        Some(reason) => refused(asked, reply, exit, &reason),
        None => foreign(asked, reply, exit),
    }
}

/// Returns the exit code of an answer: the same for sockets and REST.
fn exit(status: u16, reason: Option<&Reason>) -> Exit {
    match (status, reason) {
        (401, _) => Exit::Unauthenticated,
        (403, _) => Exit::Denied,
        (502..=504, _) | (_, None) => Exit::Unreachable,
        (_, Some(reason)) if reason.is_no_route() || reason.is_of_engine_io() => Exit::Unreachable,
        (_, Some(_)) => Exit::Failed,
    }
}

/// Returns the diagnosis of a refusal with a reason.
fn refused(asked: &Asked, reply: &HttpReply, exit: Exit, reason: &Reason) -> Diagnosis {
    let code = reason.code.as_deref();
    let shown = code.map(|code| format!(" ({code})")).unwrap_or_default();
    let cause = format!("HTTP {}{shown}: {}", reply.status, reason.text);
    if reply.status == 401 {
        return token::of_unauthorized(asked, code.unwrap_or("unauthorized"), reply, cause);
    }
    let place = if exit == Exit::Denied && !reason.is("origin_not_allowed") {
        token::source(asked.token)
    } else {
        String::new()
    };
    Diagnosis {
        exit,
        cause: cause + &place,
        advice: advice(asked, reply, reason),
    }
}

fn advice(asked: &Asked, reply: &HttpReply, reason: &Reason) -> Option<String> {
    if reason.is("origin_not_allowed") {
        return Some(origin_advice(asked.origin.as_deref()));
    }
    if reason.is_of_engine_io() {
        return engine_io::advice(asked, reason).map(str::to_owned);
    }
    if reply.status == 403 {
        let hint = token::forbidden_hint(asked);
        return Some(hint.to_owned());
    }
    if reason.is_no_route() {
        return Some("a METAIA server answers, but not at this path: check --url".to_owned());
    }
    if reason.is("outcome_unknown") {
        let advice = "the server may have carried the request out: check that before you repeat it";
        return Some(advice.to_owned());
    }
    if let Some(wait) = reply.retry_after() {
        return Some(wait);
    }
    let id = reason.request_id.as_deref()?;
    (reply.status >= 500).then(|| format!("search the server's log for the request id {id}"))
}

/// Returns what to do about an origin that a server of this project does not accept.
fn origin_advice(origin: Option<&str>) -> String {
    let Some(origin) = origin else {
        return "add the origin to CORS_ORIGINS of the server".to_owned();
    };
    if let Some(sent) = origin.strip_suffix('/').filter(|sent| is_origin(sent)) {
        return format!("browsers send no slash at the end: use --origin {sent}");
    }
    if origin == "null" {
        return "pages of files and of sandboxed frames have no origin: serve the page by HTTP"
            .to_owned();
    }
    if is_origin(origin) {
        return format!("add {origin} to CORS_ORIGINS of the server");
    }
    "this is no origin: it is a scheme and a host, and a port if it has one, such as \
     https://app.example"
        .to_owned()
}

/// Returns whether a browser might send this: a scheme, a host and perhaps a port.
fn is_origin(text: &str) -> bool {
    let Some((scheme, host)) = text.split_once("://") else {
        return false;
    };
    !scheme.is_empty() && !host.is_empty() && !host.contains(['/', '?', '#', '@', '*', ' '])
}

/// Returns the diagnosis of an answer that no server of this project gives.
fn foreign(asked: &Asked, reply: &HttpReply, exit: Exit) -> Diagnosis {
    let answered = format!("{} answered {}", reply.program(), reply.status_line());
    let (meaning, advice) = meaning(asked, reply);
    let advice = reply.retry_after().unwrap_or_else(|| advice.to_owned());
    Diagnosis::new(exit, format!("{answered}: {meaning}"), advice)
}

/// Returns what an answer means, and what to do.
fn meaning(asked: &Asked, reply: &HttpReply) -> (String, &'static str) {
    const CHECK: &str = "check that this is the address of a METAIA server";
    let (meaning, advice) = match reply.status {
        200..=299 if asked.via == Via::Rest => ("the answer is not METAIA's", CHECK),
        200..=299 => ("the answer is not Socket.IO's", CHECK),
        401 => ("it asks for credentials of its own", credentials(asked)),
        403 => (
            "it refuses the request",
            "the answer is not METAIA's: the proxy or a firewall refused it",
        ),
        404 if reply.is_json() => (
            "another program answers, which is no METAIA server",
            "check the address: a path that comes before /socket.io/ and /api/ is part of --url. A \
             server of your own that embeds the library has no REST interface",
        ),
        404 if asked.via == Via::Rest && reply.header("server").is_none() => (
            "it has no REST interface of metaia-server here",
            "a server of your own that embeds the library has none: use tail, connect, join or \
             expect. Otherwise check the address",
        ),
        404 => (
            "there is no METAIA server at this address",
            "check the address: a path that comes before /socket.io/ and /api/ is part of --url",
        ),
        413 => (
            "the body is larger than it takes",
            "send a smaller body, or raise the limit there (nginx: client_max_body_size); a \
             METAIA server takes 64 KiB",
        ),
        426 => (
            "it requires a WebSocket upgrade, but does not complete it",
            "check that the proxy passes WebSockets on, or use --transport polling",
        ),
        502 => (
            "it cannot reach the server behind it",
            "check that metaia-server runs, and that the proxy has its address",
        ),
        503 => (
            "it has no server to pass the request on to",
            "check that metaia-server runs behind the proxy",
        ),
        504 => (
            "the server behind it did not answer in time",
            "check that metaia-server runs, and is not overloaded",
        ),
        _ => return (said(&reply.body), CHECK),
    };
    (meaning.to_owned(), advice)
}

/// Returns how to send a proxy its credentials: in the header that otherwise has the token.
fn credentials(asked: &Asked) -> &'static str {
    if asked.via == Via::Rest {
        "the answer is not METAIA's: --header 'Authorization: …' sends what the proxy wants, if \
         METAIA_API_KEY is used instead of a token"
    } else {
        "the answer is not METAIA's: --auth payload --header 'Authorization: …' sends what the \
         proxy wants"
    }
}

/// Returns the title of a page, or the beginning of a text.
fn said(body: &str) -> String {
    let title = body
        .split_once("<title>")
        .and_then(|(_, rest)| rest.split_once("</title>"))
        .map(|(title, _)| title);
    let text = match title {
        Some(title) => title,
        None if body.trim_start().starts_with('<') => "",
        None => body.trim(),
    };
    let shown: String = text.chars().take(MAX_SHOWN).collect();
    if shown.is_empty() {
        "it gave no reason".to_owned()
    } else {
        shown
    }
}

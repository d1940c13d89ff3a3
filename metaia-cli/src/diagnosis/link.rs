//! Connections that fail before a server of this project answers.

use std::time::Duration;

use super::fault::{Asked, Fault, Probe, ProbeResult, Via};
use super::finding::Diagnosis;
use super::reply::HttpReply;
use super::session::time_used_up;
use super::{gateway, page, redirect, token};
use crate::exit::Exit;

/// The lines with which nginx passes a WebSocket on.
const PASS_UPGRADE: &str = "\
the lines that nginx needs:
  proxy_http_version 1.1;
  proxy_set_header Upgrade $http_upgrade;
  proxy_set_header Connection \"upgrade\";";

/// The lines with which nginx passes the sockets on at all.
const PASS_SOCKETS: &str = "\
the lines that nginx needs, with the address of the server:
  location /socket.io/ {
    proxy_pass http://127.0.0.1:5000;
    proxy_http_version 1.1;
    proxy_set_header Upgrade $http_upgrade;
    proxy_set_header Connection \"upgrade\";
  }";

/// Returns the probes that may show the cause, in this order, until one has an answer.
pub(crate) fn probes(asked: &Asked, fault: &Fault) -> &'static [Probe] {
    let is_websocket = asked.via == Via::WebSocket;
    match fault {
        Fault::NotTls => &[Probe::PlainHttp],
        Fault::Cut | Fault::NotHttp => match (asked.is_tls(), is_websocket) {
            (true, true) => &[Probe::PlainHttp, Probe::Polling],
            (true, false) => &[Probe::PlainHttp],
            (false, true) => &[Probe::Tls, Probe::Polling],
            (false, false) => &[Probe::Tls],
        },
        Fault::Protocol(_) | Fault::CutWebSocket if is_websocket => &[Probe::Polling],
        Fault::Reply(reply) if asks_for_polling(asked, reply) => &[Probe::Polling],
        Fault::Refused(refusal) if token::depends_on_clock(asked, &refusal.code) => &[Probe::Clock],
        _ => &[],
    }
}

/// Returns whether polling may show why a WebSocket was refused, or the rest of the answer's body.
fn asks_for_polling(asked: &Asked, reply: &HttpReply) -> bool {
    asked.via == Via::WebSocket && (is_no_refusal(reply.status) || !reply.is_complete)
}

/// Returns true for an answer to a WebSocket's request that did not arrive as one: a server that
/// refuses it has other codes.
fn is_no_refusal(status: u16) -> bool {
    matches!(status, 200..=299 | 400 | 404 | 405 | 426 | 501)
}

/// Returns what to do about an upgrade that failed while polling goes on; `None` if a proxy is
/// probably not the cause. `reason` is the client's text.
pub(crate) fn upgrade_advice(reason: &str) -> Option<&'static str> {
    let status = reason
        .split_once("HTTP ")
        .and_then(|(_, rest)| rest.get(..3));
    let status: u16 = status?.parse().ok()?;
    is_no_refusal(status).then_some(PASS_UPGRADE)
}

/// Returns the diagnosis of an HTTP answer.
pub(super) fn of_reply(asked: &Asked, reply: &HttpReply, probed: &ProbeResult) -> Diagnosis {
    match probed {
        ProbeResult::Reply(polled) if polled.offers_no_upgrade() => no_websockets(),
        ProbeResult::Reply(polled) if polled.opens_session() => no_upgrade(),
        ProbeResult::RestAnswers if reply.reason().is_none() => not_passed_on(reply),
        // The same answer, with the end of its body.
        ProbeResult::Reply(polled) if polled.status == reply.status && polled.is_complete => {
            page_or_redirect(asked, polled)
        }
        _ => page_or_redirect(asked, reply),
    }
}

fn page_or_redirect(asked: &Asked, reply: &HttpReply) -> Diagnosis {
    match reply.status {
        301 | 302 | 303 | 307 | 308 => redirect::diagnose(asked, reply),
        _ if page::expects_tls(asked, reply) => expects_tls(asked),
        _ => gateway::diagnose(reply).unwrap_or_else(|| page::diagnose(asked, reply)),
    }
}

/// Returns the diagnosis of a connection without a usable answer.
pub(super) fn diagnose(asked: &Asked, fault: &Fault, probed: &ProbeResult) -> Diagnosis {
    match (fault, probed) {
        (Fault::NoAnswer(limit), ProbeResult::Reply(polled)) if polled.opens_session() => {
            return no_frames(*limit);
        }
        (Fault::CutWebSocket, ProbeResult::Reply(polled)) if polled.opens_session() => {
            return cut_websocket("polling works, the WebSocket does not");
        }
        _ => {}
    }
    match probed {
        ProbeResult::SpeaksTls => return expects_tls(asked),
        ProbeResult::SpeaksPlainHttp => return speaks_plain_http(asked),
        ProbeResult::Reply(polled) if polled.offers_no_upgrade() => return no_websockets(),
        ProbeResult::Reply(polled) if polled.opens_session() => return no_upgrade(),
        ProbeResult::Reply(polled) => return page_or_redirect(asked, polled),
        ProbeResult::RestAnswers | ProbeResult::AcceptedInPayload | ProbeResult::Nothing => {}
    }
    match fault {
        Fault::UnknownName => Diagnosis::unreachable(
            "this name has no address",
            "check the spelling of the host; a VPN may be needed to resolve it",
        ),
        Fault::NothingListens => Diagnosis::unreachable(
            "no program listens there (connection refused)",
            "check that the server is running, and that this is its address",
        ),
        Fault::NoRoute(text) => Diagnosis::unreachable(
            format!("the host cannot be reached: {text}"),
            "check the address, the network and the VPN",
        ),
        Fault::NoAnswer(limit) => Diagnosis::new(
            Exit::TimedOut,
            format!("no answer within {} s", limit.as_secs_f64()),
            "the server may be stopped or busy, or a firewall drops the packets; \
             --timeout sets a longer limit",
        ),
        Fault::TimeUsedUp(limit) => time_used_up(*limit),
        Fault::EndlessBody { status, limit } => endless_body(*status, *limit),
        Fault::CutWebSocket => cut_websocket("the WebSocket does not work"),
        other => of_conversation(asked, other),
    }
}

fn endless_body(status: u16, limit: Duration) -> Diagnosis {
    let seconds = limit.as_secs_f64();
    Diagnosis::new(
        Exit::TimedOut,
        format!("it answered {status}, and the body of the answer did not end within {seconds} s"),
        "the server, or something between such as a proxy that buffers or a virus scanner, holds \
         the body back: ask it on its own machine, past the proxy; then read its log",
    )
}

/// Returns the diagnosis of a port that answers, in another way than expected.
fn of_conversation(asked: &Asked, fault: &Fault) -> Diagnosis {
    let other_scheme = format!("use {}, or check the port", asked.other_scheme());
    match fault {
        Fault::NotTls => Diagnosis::unreachable("that port does not speak TLS", other_scheme),
        Fault::Tls(text) if text.contains("CertificateRequired") => Diagnosis::unreachable(
            "the other side wants a certificate of the client (mutual TLS)",
            gateway::NO_CERTIFICATE,
        ),
        Fault::Tls(text) => Diagnosis::unreachable(
            format!("no TLS connection: {text}"),
            "check the port, and the versions of TLS that the server offers",
        ),
        Fault::Cut if asked.is_tls() => Diagnosis::unreachable(
            "the connection was closed before an answer came",
            "check that a server of METAIA is behind this port; a proxy may have refused it",
        ),
        Fault::Cut => Diagnosis::unreachable(
            "the connection was closed before an answer came",
            format!("if the port expects TLS, {other_scheme}"),
        ),
        Fault::NotHttp if asked.is_tls() => Diagnosis::unreachable(
            "the answer is not HTTP: another program listens there",
            "check that this is the address of a METAIA server",
        ),
        Fault::NotHttp => Diagnosis::unreachable(
            "the answer is not HTTP: another program listens there",
            format!("if the port expects TLS, {other_scheme}"),
        ),
        Fault::Protocol(text) => Diagnosis::unreachable(
            format!("the answer is not Socket.IO's: {text}"),
            "check that this is the address of a METAIA server",
        ),
        Fault::Other(text) => Diagnosis::without_advice(Exit::Failed, text),
        _ => Diagnosis::without_advice(Exit::Failed, "the request failed"),
    }
}

fn no_upgrade() -> Diagnosis {
    Diagnosis::unreachable(
        "polling works, the WebSocket does not: something between does not pass \"Upgrade\" on",
        format!("{PASS_UPGRADE}\nuntil then, use --transport polling"),
    )
}

fn no_frames(limit: Duration) -> Diagnosis {
    let seconds = limit.as_secs_f64();
    Diagnosis::new(
        Exit::TimedOut,
        format!("polling works, of the WebSocket nothing came: no answer within {seconds} s"),
        "something between opens WebSockets and does not pass their frames on, such as a proxy \
         that buffers or a virus scanner: let it pass them; until then, use --transport polling",
    )
}

/// Returns the diagnosis of a WebSocket that was opened in vain.
fn cut_websocket(found: &str) -> Diagnosis {
    Diagnosis::unreachable(
        format!("{found}: it is opened (101), and then cut"),
        "something between opens WebSockets and cuts them, such as a proxy or a virus scanner: \
         let it pass their frames; until then, use --transport polling",
    )
}

fn no_websockets() -> Diagnosis {
    Diagnosis::unreachable(
        "the server offers no WebSockets: polling works",
        "METAIA_TRANSPORTS of the server leaves websocket out; until then, use --transport polling",
    )
}

fn not_passed_on(reply: &HttpReply) -> Diagnosis {
    let answered = format!("{} answered {}", reply.program(), reply.status_line());
    Diagnosis::unreachable(
        format!("{answered}: /api/ is passed on to a METAIA server, and /socket.io/ is not"),
        PASS_SOCKETS,
    )
}

/// Returns whether the answer says that the port expects TLS.
pub(crate) fn complains_about_plain_http(asked: &Asked, reply: &HttpReply) -> bool {
    page::expects_tls(asked, reply)
}

fn expects_tls(asked: &Asked) -> Diagnosis {
    Diagnosis::unreachable(
        "that port expects TLS, and was asked by plain HTTP",
        format!("use {}", asked.other_scheme()),
    )
}

fn speaks_plain_http(asked: &Asked) -> Diagnosis {
    Diagnosis::unreachable(
        "that port speaks plain HTTP, not TLS",
        format!("use {}", asked.other_scheme()),
    )
}

//! Refusals of a proxy that say nothing about the server behind it: a limit on requests, and a
//! certificate of the client.

use super::finding::Diagnosis;
use super::reply::HttpReply;

/// Texts with which servers ask for a certificate of the client: nginx, Cloudflare and Envoy.
const WANTS_CERTIFICATE: [&str; 2] = ["no required ssl certificate", "client certificate"];

/// Returns the diagnosis of such an answer; `None` for any other.
pub(super) fn diagnose(reply: &HttpReply) -> Option<Diagnosis> {
    if reply.reason().is_some() {
        return None;
    }
    let answered = format!("{} answered {}", reply.program(), reply.status_line());
    match reply.status {
        429 => Some(limited(reply, &answered)),
        400 | 403 | 495 | 496 if wants_certificate(reply) => Some(no_certificate(&answered)),
        _ => None,
    }
}

fn limited(reply: &HttpReply, answered: &str) -> Diagnosis {
    const RAISE: &str = "the limit is not METAIA's: raise it there for /socket.io/ and /api/ \
                         (nginx: limit_req, its rate and burst)";
    let wait = reply.retry_after();
    Diagnosis::unreachable(
        format!("{answered}: its limit on the rate of requests was reached"),
        wait.map_or_else(|| RAISE.to_owned(), |wait| format!("{wait}; {RAISE}")),
    )
}

fn wants_certificate(reply: &HttpReply) -> bool {
    let body = reply.body.to_lowercase();
    let is_asked = WANTS_CERTIFICATE.iter().any(|text| body.contains(text));
    is_asked || reply.status == 496
}

fn no_certificate(answered: &str) -> Diagnosis {
    Diagnosis::unreachable(
        format!("{answered}: it wants a certificate of the client (mutual TLS)"),
        NO_CERTIFICATE,
    )
}

/// The advice for a proxy that wants a certificate of the client.
pub(super) const NO_CERTIFICATE: &str = "\
metaia sends no certificate of its own: ask behind the proxy, at the address of metaia-server, or \
let the proxy ask for none here (nginx: ssl_verify_client)";

//! Errors of the HTTP client and of the Socket.IO client, as the fault that they mean.

use std::error::Error;
use std::io::ErrorKind;
use std::time::Duration;

use metaia_realtime::client::ConnectError;

use super::certificate;
use super::fault::Fault;
use super::refusal::Refusal;
use super::reply::HttpReply;

/// Parts of hyper's texts for an answer that is not HTTP: it came after the request, or before it.
const NOT_HTTP: [&str; 2] = ["invalid HTTP", "unexpected message from connection"];

/// Returns what a failed connection means. `now` is in Unix milliseconds.
pub(crate) fn connect_fault(error: &ConnectError, now: i64) -> Fault {
    match error {
        ConnectError::Invalid(text) => Fault::Invalid(text.clone()),
        ConnectError::Unreachable(cause) => {
            of_chain(cause.as_ref()).unwrap_or_else(|| Fault::Other(text(error)))
        }
        ConnectError::Http { status, answer, .. } => Fault::Reply(HttpReply {
            status: *status,
            headers: answer.headers.clone(),
            body: answer.body.clone(),
            is_complete: answer.is_complete,
            read_at: now,
        }),
        ConnectError::Refused { message, data } => {
            Fault::Refused(Refusal::new(message, data.as_ref()))
        }
        ConnectError::Protocol(text) => of_protocol(text),
        ConnectError::Timeout(limit) => Fault::NoAnswer(*limit),
        other => Fault::Other(text(other)),
    }
}

/// Returns what a failed request means. `limit` is its time limit.
pub(crate) fn request_fault(error: &reqwest::Error, limit: Duration) -> Fault {
    if error.is_timeout() {
        return Fault::NoAnswer(limit);
    }
    of_chain(error).unwrap_or_else(|| Fault::Other(text(error)))
}

/// tungstenite's errors of a handshake are texts here.
fn of_protocol(text: &str) -> Fault {
    let contains = |parts: &[&str]| parts.iter().any(|part| text.contains(part));
    if contains(&["Handshake not finished"]) {
        Fault::Cut
    } else if contains(&["without closing handshake"]) {
        Fault::CutWebSocket
    } else if contains(&["httparse"]) {
        Fault::NotHttp
    } else {
        Fault::Protocol(text.to_owned())
    }
}

/// Returns the fault that the first known cause means.
fn of_chain(error: &(dyn Error + 'static)) -> Option<Fault> {
    let mut next = Some(error);
    while let Some(cause) = next {
        if let Some(found) = of_cause(cause) {
            return Some(found);
        }
        next = inner(cause);
    }
    None
}

/// Returns the cause of an error. That of an [`std::io::Error`] is inside it: its `source` would
/// leave it out.
fn inner<'a>(error: &'a (dyn Error + 'static)) -> Option<&'a (dyn Error + 'static)> {
    if let Some(io) = error.downcast_ref::<std::io::Error>() {
        return io.get_ref().map(|inner| inner as &(dyn Error + 'static));
    }
    error.source()
}

fn of_cause(error: &(dyn Error + 'static)) -> Option<Fault> {
    if let Some(tls) = error.downcast_ref::<rustls::Error>() {
        return Some(certificate::fault(tls));
    }
    if let Some(tls) = error.downcast_ref::<Box<rustls::Error>>() {
        return Some(certificate::fault(tls));
    }
    if let Some(io) = error.downcast_ref::<std::io::Error>() {
        return of_io(io);
    }
    let text = error.to_string();
    if is_unknown_name(&text) {
        Some(Fault::UnknownName)
    } else if text.contains("closed before message completed") {
        Some(Fault::Cut)
    } else if NOT_HTTP.iter().any(|part| text.contains(part)) {
        Some(Fault::NotHttp)
    } else {
        None
    }
}

fn of_io(error: &std::io::Error) -> Option<Fault> {
    if is_unknown_name(&error.to_string()) {
        return Some(Fault::UnknownName);
    }
    match error.kind() {
        ErrorKind::ConnectionRefused => Some(Fault::NothingListens),
        ErrorKind::ConnectionReset
        | ErrorKind::ConnectionAborted
        | ErrorKind::BrokenPipe
        | ErrorKind::UnexpectedEof => Some(Fault::Cut),
        ErrorKind::HostUnreachable | ErrorKind::NetworkUnreachable | ErrorKind::TimedOut => {
            Some(Fault::NoRoute(error.to_string()))
        }
        _ => None,
    }
}

/// The errors of the resolver have no kind of their own.
fn is_unknown_name(text: &str) -> bool {
    text.contains("failed to lookup address") || text == "dns error"
}

/// Returns an error and its causes in one line.
fn text(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        let cause_text = cause.to_string();
        // Some crates repeat the cause in their own text.
        if !text.ends_with(&cause_text) {
            text = format!("{text}: {cause_text}");
        }
        next = cause.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use std::io;

    use super::*;

    fn unreachable(cause: io::Error) -> ConnectError {
        ConnectError::Unreachable(Box::new(cause))
    }

    #[track_caller]
    fn check(error: ConnectError, expected: Fault) {
        assert_eq!(connect_fault(&error, 0), expected);
    }

    #[test]
    fn errors_of_the_system_are_recognised() {
        check(
            unreachable(ErrorKind::ConnectionRefused.into()),
            Fault::NothingListens,
        );
        check(unreachable(ErrorKind::ConnectionReset.into()), Fault::Cut);
        let resolver = "failed to lookup address information: Name or service not known";
        check(unreachable(io::Error::other(resolver)), Fault::UnknownName);
    }

    #[test]
    fn an_error_of_tls_inside_an_error_of_io_is_found() {
        let tls = rustls::Error::InvalidMessage(rustls::InvalidMessage::InvalidContentType);
        let io = io::Error::new(ErrorKind::InvalidData, tls);
        check(unreachable(io), Fault::NotTls);
    }

    #[test]
    fn a_handshake_that_is_not_http_is_recognised() {
        let protocol = |text: &str| ConnectError::Protocol(text.to_owned());
        check(protocol("Handshake not finished"), Fault::Cut);
        let cut = "WebSocket protocol error: Connection reset without closing handshake";
        check(protocol(cut), Fault::CutWebSocket);
        check(protocol("httparse error: invalid token"), Fault::NotHttp);
        check(
            protocol("the first packet does not open a session"),
            Fault::Protocol("the first packet does not open a session".to_owned()),
        );
    }

    #[test]
    fn an_answer_that_is_not_http_is_recognised_also_if_it_comes_first() {
        for text in [
            "invalid HTTP version parsed",
            "received unexpected message from connection",
        ] {
            let error: Box<dyn Error + Send + Sync> = text.into();
            check(ConnectError::Unreachable(error), Fault::NotHttp);
        }
    }

    #[test]
    fn an_unknown_error_keeps_its_text() {
        let error = unreachable(io::Error::other("no luck"));
        let expected = "the server could not be reached: no luck".to_owned();
        check(error, Fault::Other(expected));
    }
}

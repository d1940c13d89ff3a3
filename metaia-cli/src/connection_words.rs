//! Texts about connections.

use metaia_realtime::client::{ConnectError, Transport};
use serde_json::Value;

use crate::clock;
use crate::diagnosis::{connect_fault, fault_text};
use crate::terminal::one_line;

/// The session left polling for a WebSocket.
pub(crate) const UPGRADED: &str = "upgraded to WebSocket";

/// Says that there is a connection; by which transport only if it is not the usual one.
pub(crate) fn connected(transport: Transport, reconnects: u64) -> String {
    let by = if transport == Transport::Polling {
        " by polling"
    } else {
        ""
    };
    if reconnects > 0 {
        format!("reconnected{by}")
    } else {
        format!("connected{by}")
    }
}

/// Says that a session stays with polling, and why.
pub(crate) fn upgrade_failed(reason: &str) -> String {
    let reason = with_message(reason);
    let reason = one_line(&reason);
    format!("the upgrade to WebSocket failed, polling goes on: {reason}")
}

/// Puts its message in the place of a JSON object, as servers send it with a refusal.
fn with_message(reason: &str) -> String {
    let (Some(start), Some(end)) = (reason.find('{'), reason.rfind('}')) else {
        return reason.to_owned();
    };
    let object = reason.get(start..=end).unwrap_or_default();
    let object: Option<Value> = serde_json::from_str(object).ok();
    let message = object
        .as_ref()
        .and_then(|object| object.get("message")?.as_str());
    match message {
        Some(message) => format!("{}{message}{}", &reason[..start], &reason[end + 1..]),
        None => reason.to_owned(),
    }
}

/// Says why the server ends the session.
pub(crate) fn end(code: &str) -> String {
    let meaning = end_meaning(code);
    format!("ended: {}{meaning}", one_line(code))
}

/// Returns what the code of an end means, in parentheses; nothing for one that says it itself.
pub(crate) fn end_meaning(code: &str) -> &'static str {
    match code {
        "kicked" => " (an admin or a backend ended it)",
        "too_many_sessions" => {
            " (this user has more sessions than the limit, and this one was the least active)"
        }
        "rate_limited" => " (this client sent too many events)",
        "draining" => " (the server is shutting down)",
        _ => "",
    }
}

/// Says why an attempt to connect failed, in a few words.
pub(crate) fn failed_attempt(error: &ConnectError) -> String {
    let text = fault_text(&connect_fault(error, clock::unix_ms()));
    one_line(&text).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_code_of_an_end_is_explained() {
        assert_eq!(end("replaced"), "ended: replaced");
        let full = end("too_many_sessions");
        assert!(
            full.contains("too_many_sessions (this user has more"),
            "{full}"
        );
    }

    #[test]
    fn a_failed_upgrade_shows_the_message_and_no_json() {
        let said = upgrade_failed(r#"refused (HTTP 400: {"code":3,"message":"Bad request"})"#);
        assert!(said.ends_with("refused (HTTP 400: Bad request)"), "{said}");
        for reason in ["reset", "}{", "{}", r#"{"message":1}"#, "{é"] {
            assert!(upgrade_failed(reason).ends_with(reason), "{reason}");
        }
    }

    #[test]
    fn a_failed_attempt_is_a_few_words() {
        let refused = std::io::Error::from(std::io::ErrorKind::ConnectionRefused);
        let error = ConnectError::Unreachable(Box::new(refused));
        let said = failed_attempt(&error);
        assert_eq!(said, "no program listens there (connection refused)");
    }
}

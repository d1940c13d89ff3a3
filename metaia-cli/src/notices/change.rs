//! The changes of a connection, as texts for people and members for programs.

use std::borrow::Cow;

use metaia_realtime::client::{
    DisconnectReason, ReceivedEvent, Reset, Retrying, Transport, Update,
};
use serde::Serialize;
use serde_json::{Value, json};

use crate::blocked_output;
use crate::connection_words as words;
use crate::diagnosis::upgrade_advice;
use crate::event_line::Tone;

/// The kind of a change, and what belongs to it.
#[derive(Debug, Serialize)]
pub(super) struct Change {
    is: &'static str,
    #[serde(flatten)]
    details: Value,
    #[serde(skip)]
    pub(super) severity: Severity,
    #[serde(skip)]
    pub(super) text: String,
    /// Advice for people.
    #[serde(skip)]
    pub(super) advice: Option<Cow<'static, str>>,
}

/// The importance of a change for the reader.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Severity {
    Info,
    Success,
    /// The connection may recover by itself.
    Warning,
    /// Something is lost, or the session has ended.
    Error,
}

impl Severity {
    /// Returns the mark before a text, and its tone. The marks are clear without colour.
    pub(super) fn mark(self) -> (&'static str, Tone) {
        match self {
            Self::Info => ("· ", Tone::Dim),
            Self::Success => ("✓ ", Tone::Good),
            Self::Warning => ("⚠ ", Tone::Warn),
            Self::Error => ("✗ ", Tone::Bad),
        }
    }
}

impl Change {
    pub(super) fn new(
        is: &'static str,
        severity: Severity,
        text: impl Into<String>,
        details: Value,
    ) -> Self {
        Self {
            is,
            details,
            severity,
            text: text.into(),
            advice: None,
        }
    }

    /// Returns the change that an update means; `None` for events of the application. `order` is
    /// the number of the order whose room was left.
    pub(super) fn of(update: &Update, order: Option<&str>) -> Option<Self> {
        Some(match update {
            Update::Connected(connected) => connected_by(connected.transport, connected.reconnects),
            Update::Ready(ready) => live(
                &ready.rooms,
                ready.recovered,
                ready.replayed,
                ready.at.as_deref(),
            ),
            Update::Upgraded => Self::new("upgraded", Severity::Info, words::UPGRADED, json!({})),
            Update::UpgradeFailed(reason) => {
                let text = words::upgrade_failed(reason);
                let details = json!({"why": reason});
                Self {
                    advice: upgrade_advice(reason).map(Cow::from),
                    ..Self::new("upgrade_failed", Severity::Warning, text, details)
                }
            }
            Update::Reset(reset) => gap(reset),
            Update::TooLarge { at } => too_large(at.as_deref()),
            Update::End(end) => Self::end(&end.code),
            Update::Disconnected(reason) => lost(reason),
            Update::Retrying(retrying) => retry(retrying),
            Update::GaveUp(reason) => {
                let why = reason.to_string();
                let text = format!("gave up: {why}");
                Self::new("gave_up", Severity::Error, text, json!({"why": why}))
            }
            Update::Event(event) => control(event, order)?,
            _ => return None,
        })
    }

    pub(super) fn end(code: &str) -> Self {
        let text = words::end(code);
        Self::new("end", Severity::Error, text, json!({"code": code}))
    }
}

fn lost(reason: &DisconnectReason) -> Change {
    let why = reason.to_string();
    let text = format!("line lost ({why})");
    let change = Change::new("lost", Severity::Warning, text, json!({"why": why}));
    match reason {
        // A client that does not read cannot be told why it is disconnected.
        DisconnectReason::TransportClose(_) | DisconnectReason::PingTimeout => Change {
            advice: blocked_output::advice().map(Cow::from),
            ..change
        },
        _ => change,
    }
}

pub(super) fn connected_by(transport: Transport, reconnects: u64) -> Change {
    let name = match transport {
        Transport::WebSocket => "websocket",
        Transport::Polling => "polling",
        _ => "upgrade",
    };
    let text = words::connected(transport, reconnects);
    let details = json!({"transport": name, "reconnects": reconnects});
    Change::new("connected", Severity::Info, text, details)
}

pub(super) fn live(rooms: &[String], recovered: bool, replayed: u64, at: Option<&str>) -> Change {
    let text = match (recovered, replayed) {
        (false, _) => format!("live in {}", rooms.join(", ")),
        (true, 0) => "live; no event was missed".to_owned(),
        (true, 1) => "live; 1 missed event came first (↻)".to_owned(),
        (true, count) => format!("live; {count} missed events came first (↻)"),
    };
    let details = json!({
        "rooms": rooms,
        "recovered": recovered,
        "replayed": replayed,
        "at": at,
    });
    Change::new("live", Severity::Success, text, details)
}

fn too_large(at: Option<&str>) -> Change {
    let text = "GAP: an event of more than 1 MiB was skipped; reload by REST";
    Change::new("too_large", Severity::Error, text, json!({"at": at}))
}

fn gap(reset: &Reset) -> Change {
    missed(&reset.reason, reset.at.as_deref())
}

pub(super) fn missed(reason: &str, at: Option<&str>) -> Change {
    let text = format!("GAP ({reason}): events missed; reload by REST");
    let details = json!({"reason": reason, "at": at});
    Change::new("gap", Severity::Error, text, details)
}

fn retry(retrying: &Retrying) -> Change {
    let error = retrying.error.as_ref();
    let why = error.map(|error| words::failed_attempt(error));
    let cause = why
        .as_ref()
        .map(|why| format!(": {why}"))
        .unwrap_or_default();
    let delay = retrying.delay;
    let seconds = delay.as_secs_f64();
    let text = format!("attempt {} in {seconds:.1} s{cause}", retrying.attempt);
    let details = json!({
        "attempt": retrying.attempt,
        "delayMs": u64::try_from(delay.as_millis()).unwrap_or(u64::MAX),
        "why": why,
    });
    Change::new("retry", Severity::Warning, text, details)
}

/// Returns the change that a control event (`rt:…`) means; `None` for other events.
fn control(event: &ReceivedEvent, order: Option<&str>) -> Option<Change> {
    if event.is_control() {
        Some(control_change(&event.name, &event.data, order))
    } else {
        None
    }
}

pub(super) fn control_change(name: &str, data: &Value, order: Option<&str>) -> Change {
    let said = |member: &str| {
        let value = data.get(member).and_then(Value::as_str);
        value.unwrap_or("?").to_owned()
    };
    let is =
        |is, severity, text: String, members| Change::new(is, severity, text, some(data, members));
    match name {
        "rt:error" => {
            let text = format!(
                "refused: {} {}: {}",
                said("event"),
                said("ref"),
                said("code")
            );
            is("refused", Severity::Error, text, &["event", "ref", "code"])
        }
        "rt:room_left" => {
            let room = order.map_or_else(|| said("room"), |number| format!("the room of {number}"));
            let text = format!("left {room} ({})", said("reason"));
            is("left", Severity::Warning, text, &["room", "reason"])
        }
        "rt:expiring" => {
            let text = "the token expires soon".to_owned();
            is("expiring", Severity::Warning, text, &["expiresAt"])
        }
        "rt:drain" => {
            let text = "the server is shutting down".to_owned();
            is("drain", Severity::Warning, text, &["retryInMs"])
        }
        name => {
            let text = match name {
                "rt:position" => format!("position {}", position(data).unwrap_or("?")),
                name => format!("{name} {data}"),
            };
            let details = json!({"event": name, "data": data});
            Change::new("control", Severity::Info, text, details)
        }
    }
}

fn position(data: &Value) -> Option<&str> {
    data.get("_rt")?.get("at")?.as_str()
}

/// Returns an object with these members of another one.
fn some(data: &Value, members: &[&str]) -> Value {
    let member = |name: &&str| {
        let value = data.get(*name).cloned().unwrap_or(Value::Null);
        ((*name).to_owned(), value)
    };
    members.iter().map(member).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn missed_events_are_counted() {
        let said = |count| live(&[], true, count, None).text;
        assert_eq!(
            [0, 1, 2].map(said),
            [
                "live; no event was missed",
                "live; 1 missed event came first (↻)",
                "live; 2 missed events came first (↻)",
            ]
        );
        let rooms = ["customer-room".to_owned(), "user-u1".to_owned()];
        assert_eq!(
            live(&rooms, false, 0, None).text,
            "live in customer-room, user-u1"
        );
    }
}

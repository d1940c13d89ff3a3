//! Connections of the commands that receive events: connecting, and formatting what arrives.

use std::time::Duration;

use metaia_realtime::client::{ReceivedEvent, Update};
use serde::Serialize;
use serde_json::Value;

use crate::clock;
use crate::connection_words as words;
use crate::printer::{Paint, Report};
use crate::terminal::one_line;

pub(crate) use crate::connecting::{builder, close, connect};

/// An event as it is printed.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct EventLine {
    /// Time of receipt in Unix milliseconds.
    pub(crate) ts: i64,
    /// `ROLE:USER` of the receiver.
    #[serde(rename = "as")]
    pub(crate) receiver: String,
    pub(crate) event: String,
    pub(crate) data: Value,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) position: Option<String>,
    /// Milliseconds from commit to receipt. A difference of the clocks of more than 2 s is
    /// subtracted, to a second; a smaller one is included.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) latency_ms: Option<i64>,
}

impl EventLine {
    pub(crate) fn new(receiver: &str, event: ReceivedEvent) -> Self {
        let latency_ms = event.latency_ms().map(clock::latency_ms);
        Self {
            ts: event.received_at,
            receiver: receiver.to_owned(),
            event: event.name,
            data: event.data,
            id: event.id,
            position: event.at,
            latency_ms,
        }
    }
}

impl Report for EventLine {
    fn text(&self, paint: Paint) -> String {
        let mut data = self.data.clone();
        if let Value::Object(members) = &mut data {
            members.remove("_rt");
        }
        let latency = self
            .latency_ms
            .map(|ms| format!("{ms:+} ms"))
            .unwrap_or_default();
        let time = paint.dim(&clock::time_of_day(self.ts));
        // What others chose may not bring styles of its own.
        let data = data.to_string();
        format!(
            "{time}  {}  {}  {}  {}",
            one_line(&self.receiver),
            paint.name(&one_line(&self.event)),
            paint.dim(&latency),
            one_line(&data)
        )
    }
}

/// Describes a change of the connection; `None` for events of the application.
pub(crate) fn notice(update: &Update) -> Option<String> {
    Some(match update {
        Update::Connected(connected) => words::connected(connected),
        Update::Upgraded => words::UPGRADED.to_owned(),
        Update::UpgradeFailed(reason) => words::upgrade_failed(reason),
        Update::Ready(ready) if ready.recovered => {
            format!("live after {} missed events", ready.replayed)
        }
        Update::Ready(ready) => format!("live in {}", ready.rooms.join(", ")),
        Update::Reset(reset) => {
            format!(
                "GAP: the server cannot resume from the position ({}): reload by REST",
                reset.reason
            )
        }
        Update::End(end) => words::end(&end.code),
        Update::Disconnected(reason) => format!("disconnected: {reason}"),
        Update::Retrying(retrying) => {
            let cause = retrying
                .error
                .as_ref()
                .map(|error| format!(", after: {}", words::failed_attempt(error)))
                .unwrap_or_default();
            let delay = seconds(retrying.delay);
            format!("attempt {} in {delay}{cause}", retrying.attempt)
        }
        Update::GaveUp(reason) => format!("gave up: {reason}"),
        Update::Event(event) => control_notice(event)?,
        _ => return None,
    })
}

fn control_notice(event: &ReceivedEvent) -> Option<String> {
    let text = |member: &str| {
        event
            .data
            .get(member)
            .and_then(Value::as_str)
            .map_or_else(|| "?".to_owned(), |text| one_line(text).into_owned())
    };
    Some(match event.name.as_str() {
        "rt:error" => format!(
            "refused: {} {}: {}",
            text("event"),
            text("ref"),
            text("code")
        ),
        "rt:room_left" => format!("removed from {}: {}", text("room"), text("reason")),
        "rt:expiring" => "the token expires soon".to_owned(),
        "rt:drain" => "the server is shutting down; the client will reconnect".to_owned(),
        name if event.is_control() => format!("{name} {}", event.data),
        _ => return None,
    })
}

/// Formats a duration in seconds with one decimal.
pub(crate) fn seconds(span: Duration) -> String {
    format!("{:.1} s", span.as_secs_f64())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn line() -> EventLine {
        let stamp = json!({"id": "e1", "at": "p.1", "ts": 1_700_000_000_120_i64});
        EventLine {
            ts: 1_700_000_000_123,
            receiver: "customer:u1".into(),
            event: "order_update".into(),
            data: json!({"_id": "o1", "_rt": stamp}),
            id: Some("e1".into()),
            position: Some("p.1".into()),
            latency_ms: Some(3),
        }
    }

    #[test]
    fn text_output_has_one_line_per_event() {
        insta::assert_snapshot!(
            line().text(Paint::PLAIN),
            @r#"22:13:20.123Z  customer:u1  order_update  +3 ms  {"_id":"o1"}"#
        );
    }

    #[test]
    fn ndjson_output_has_one_object_per_event() {
        let expected = concat!(
            r#"{"ts":1700000000123,"as":"customer:u1","event":"order_update","#,
            r#""data":{"_id":"o1","_rt":{"at":"p.1","id":"e1","ts":1700000000120}},"#,
            r#""id":"e1","position":"p.1","latencyMs":3}"#,
        );
        assert_eq!(serde_json::to_string(&line()).unwrap(), expected);
    }

    #[test]
    fn absent_members_are_left_out() {
        let line = EventLine {
            id: None,
            position: None,
            latency_ms: None,
            data: json!("text"),
            ..line()
        };
        let expected =
            r#"{"ts":1700000000123,"as":"customer:u1","event":"order_update","data":"text"}"#;
        assert_eq!(serde_json::to_string(&line).unwrap(), expected);
    }
}

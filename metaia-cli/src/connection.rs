//! Connections of the commands that receive events: connecting, and formatting what arrives.

use metaia_realtime::client::ReceivedEvent;
use serde::Serialize;
use serde_json::Value;

use crate::clock;
use crate::printer::{Paint, Report};
use crate::terminal::one_line;

pub(crate) use crate::connecting::{builder, builder_for, close, connect, connect_or_error};

/// Returns the name of a new installation. The server has stored no position for it, so that no
/// missed event is sent to it.
pub(crate) fn new_device() -> String {
    uuid::Uuid::new_v4().simple().to_string()
}

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
    /// Set if the event came before the session was live: it happened before, and was missed.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub(crate) replayed: bool,
}

impl EventLine {
    pub(crate) fn new(receiver: &str, event: ReceivedEvent, replayed: bool) -> Self {
        let latency_ms = event.latency_ms().map(clock::latency_ms);
        Self {
            ts: event.received_at,
            receiver: receiver.to_owned(),
            event: event.name,
            data: event.data,
            id: event.id,
            position: event.at,
            latency_ms,
            replayed,
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
        let replayed = if self.replayed {
            format!(" {}", paint.warn("replayed"))
        } else {
            String::new()
        };
        let time = paint.dim(&clock::time_of_day(self.ts));
        // Text from others must not contain styles.
        let data = data.to_string();
        format!(
            "{time}  {}  {}  {}{replayed}  {}",
            one_line(&self.receiver),
            paint.name(&one_line(&self.event)),
            paint.dim(&latency),
            one_line(&data)
        )
    }
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
            replayed: false,
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
    fn a_replayed_event_is_marked() {
        let line = EventLine {
            replayed: true,
            ..line()
        };
        insta::assert_snapshot!(
            line.text(Paint::PLAIN),
            @r#"22:13:20.123Z  customer:u1  order_update  +3 ms replayed  {"_id":"o1"}"#
        );
        let json = serde_json::to_string(&line).unwrap();
        assert!(
            json.ends_with(r#","latencyMs":3,"replayed":true}"#),
            "{json}"
        );
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

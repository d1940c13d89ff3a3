//! What the commands with a live connection share: connecting, and showing what arrives.

use std::time::Duration;

use metaia_realtime::client::{Client, ClientBuilder, Credentials, Event, Update, Updates};
use serde::Serialize;
use serde_json::Value;

use crate::clock;
use crate::context::{Context, Who};
use crate::exit::Failure;
use crate::printer::{Paint, Report};

/// Configures a client that has a fresh token at every connection.
pub(crate) fn builder(context: &Context, who: &Who) -> ClientBuilder {
    let who = who.clone();
    Client::builder(&context.url)
        .credentials(move || {
            std::future::ready(who.token().map(Credentials::token).map_err(Into::into))
        })
        .transport(context.transport)
        .connect_timeout(context.timeout)
}

/// Connects, once: a server that is not there is reported at once.
pub(crate) async fn connect(builder: ClientBuilder) -> Result<(Client, Updates), Failure> {
    Ok(builder.connect().await?)
}

/// One event, as it is written.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct EventLine {
    /// When it was received, in Unix milliseconds.
    pub(crate) ts: i64,
    #[serde(rename = "as")]
    pub(crate) who: String,
    pub(crate) event: String,
    pub(crate) data: Value,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) position: Option<String>,
    /// From commit to receipt; contains the difference of the clocks.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) latency_ms: Option<i64>,
}

impl EventLine {
    pub(crate) fn new(who: &str, event: Event) -> Self {
        let latency_ms = event.latency_ms();
        Self {
            ts: event.received_at,
            who: who.to_owned(),
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
        format!(
            "{time}  {}  {}  {}  {data}",
            self.who,
            paint.name(&self.event),
            paint.dim(&latency)
        )
    }
}

/// What there is to say about a change of the connection.
pub(crate) fn notice(update: &Update) -> Option<String> {
    Some(match update {
        Update::Connected(connected) if connected.reconnects > 0 => "connected again".to_owned(),
        Update::Connected(_) => "connected".to_owned(),
        Update::Ready(ready) if ready.recovered => {
            format!("live; {} missed events came first", ready.replayed)
        }
        Update::Ready(ready) => format!("live in {}", ready.rooms.join(", ")),
        Update::Reset(reset) => {
            format!(
                "GAP: the position cannot be honoured ({}): reload by REST",
                reset.reason
            )
        }
        Update::Disconnected(reason) => format!("disconnected: {reason}"),
        Update::Retrying(retrying) => {
            let why = retrying
                .error
                .as_ref()
                .map(|error| format!(", after: {error}"))
                .unwrap_or_default();
            format!(
                "attempt {} in {}{why}",
                retrying.attempt,
                seconds(retrying.delay)
            )
        }
        Update::GaveUp(reason) => format!("gave up: {reason}"),
        Update::Event(event) => control(event)?,
        _ => return None,
    })
}

fn control(event: &Event) -> Option<String> {
    let text = |member: &str| {
        event
            .data
            .get(member)
            .and_then(Value::as_str)
            .unwrap_or("?")
            .to_owned()
    };
    Some(match event.name.as_str() {
        "rt:error" => format!(
            "refused: {} {}: {}",
            text("event"),
            text("ref"),
            text("code")
        ),
        "rt:room_left" => format!("no longer in {}: {}", text("room"), text("reason")),
        "rt:expiring" => "the token ends soon".to_owned(),
        "rt:drain" => "the server is going down for a moment".to_owned(),
        name if event.is_control() => format!("{name} {}", event.data),
        _ => return None,
    })
}

/// A duration for people, in seconds.
pub(crate) fn seconds(span: Duration) -> String {
    format!("{:.1} s", span.as_secs_f64())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn line() -> EventLine {
        EventLine {
            ts: 1_700_000_000_123,
            who: "customer:u1".into(),
            event: "order_update".into(),
            data: json!({"_id": "o1", "_rt": {"id": "e1", "at": "p.1", "ts": 1_700_000_000_120_i64}}),
            id: Some("e1".into()),
            position: Some("p.1".into()),
            latency_ms: Some(3),
        }
    }

    #[test]
    fn an_event_is_one_line_for_people() {
        insta::assert_snapshot!(line().text(Paint::PLAIN), @r#"22:13:20.123Z  customer:u1  order_update  +3 ms  {"_id":"o1"}"#);
    }

    #[test]
    fn an_event_is_one_object_for_programs() {
        let json = serde_json::to_string(&line()).unwrap();
        insta::assert_snapshot!(json, @r#"{"ts":1700000000123,"as":"customer:u1","event":"order_update","data":{"_id":"o1","_rt":{"at":"p.1","id":"e1","ts":1700000000120}},"id":"e1","position":"p.1","latencyMs":3}"#);
    }

    #[test]
    fn what_an_event_does_not_have_is_not_written() {
        let line = EventLine {
            id: None,
            position: None,
            latency_ms: None,
            data: json!("text"),
            ..line()
        };
        insta::assert_snapshot!(serde_json::to_string(&line).unwrap(), @r#"{"ts":1700000000123,"as":"customer:u1","event":"order_update","data":"text"}"#);
    }
}

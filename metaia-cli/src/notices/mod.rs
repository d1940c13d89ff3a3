//! Notices of a connection's changes: lines for people on standard error, and control lines for
//! programs among the events.

mod change;

use metaia_realtime::client::Update;
use serde::Serialize;

use crate::clock;
use crate::exit::Failure;
use crate::printer::{Paint, Printer, Report};
use crate::terminal::one_line;
use change::{Change, Severity};

/// A change of one session's connection.
#[derive(Debug, Serialize)]
pub(crate) struct Notice {
    /// Tells control lines from events, which have no such member.
    k: &'static str,
    /// Unix milliseconds.
    ts: i64,
    /// `ROLE:USER` of the session.
    #[serde(rename = "as")]
    receiver: String,
    #[serde(flatten)]
    change: Change,
}

impl Notice {
    /// Returns the notice of an update; `None` for events of the application.
    pub(crate) fn of(receiver: &str, update: &Update) -> Option<Self> {
        let change = Change::of(update)?;
        Some(Self {
            k: "line",
            ts: clock::unix_ms(),
            receiver: receiver.to_owned(),
            change,
        })
    }

    /// Returns the change in a few words.
    pub(crate) fn summary(&self) -> &str {
        &self.change.text
    }

    /// Writes the notice to standard error. If `as_data`, it becomes a line of the output, too; as
    /// text, it is then on standard output alone.
    pub(crate) fn show(&self, printer: &Printer, as_data: bool) -> Result<(), Failure> {
        if as_data {
            printer.report(self)?;
        }
        if !(as_data && printer.is_text()) {
            printer.notice(self);
        }
        if let Some(advice) = &self.change.advice {
            printer.note(&format!("hint: {advice}"));
        }
        Ok(())
    }
}

impl Report for Notice {
    fn text(&self, paint: Paint) -> String {
        let time = paint.dim(&clock::time_of_day(self.ts));
        // Text from others must not contain styles.
        let text = one_line(&self.change.text);
        let text = match self.change.severity {
            Severity::Info => paint.dim(&text),
            Severity::Success => paint.good(&text),
            Severity::Warning => paint.warn(&text),
            Severity::Error => paint.bad(&text),
        };
        format!("{time}  {}  {text}", one_line(&self.receiver))
    }
}

#[cfg(test)]
mod tests {
    use metaia_realtime::client::{DisconnectReason, GaveUp, Transport};
    use serde_json::json;

    use super::change::{connected_by, control_change};
    use super::*;

    fn notice(change: Change) -> Notice {
        Notice {
            k: "line",
            ts: 1_700_000_000_123,
            receiver: "customer:u1".into(),
            change,
        }
    }

    fn text(change: Change) -> String {
        notice(change).text(Paint::PLAIN)
    }

    #[test]
    fn a_notice_has_its_time_and_its_session() {
        let lost = Change::of(&Update::Disconnected(DisconnectReason::PingTimeout)).unwrap();
        insta::assert_snapshot!(
            text(lost),
            @"22:13:20.123Z  customer:u1  disconnected: ping timeout"
        );
        let left = json!({"room": "order-o1", "reason": "access_revoked"});
        insta::assert_snapshot!(
            text(control_change("rt:room_left", &left)),
            @"22:13:20.123Z  customer:u1  removed from order-o1: access_revoked"
        );
    }

    #[test]
    fn a_control_line_is_one_object() {
        let line = notice(connected_by(Transport::WebSocket, 1));
        let expected = concat!(
            r#"{"k":"line","ts":1700000000123,"as":"customer:u1","is":"connected","#,
            r#""reconnects":1,"transport":"websocket"}"#,
        );
        assert_eq!(serde_json::to_string(&line).unwrap(), expected);
        let gave_up = Change::of(&Update::GaveUp(GaveUp::ServerDisconnect)).unwrap();
        let line = serde_json::to_value(notice(gave_up)).unwrap();
        assert_eq!(line["is"], "gave_up");
        assert_eq!(line["why"], "the server ended the session");
    }

    #[test]
    fn each_severity_has_its_colour() {
        let coloured = [
            Severity::Info,
            Severity::Success,
            Severity::Warning,
            Severity::Error,
        ]
        .map(|severity| {
            notice(Change::new("x", severity, "text", json!({}))).text(Paint::COLOURED)
        });
        for (n, one) in coloured.iter().enumerate() {
            assert!(!coloured[..n].contains(one), "{one:?}");
        }
    }
}

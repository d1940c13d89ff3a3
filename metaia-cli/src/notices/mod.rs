//! Notices of a connection's changes: lines for people on standard error, and control lines for
//! programs among the events.

mod change;
#[cfg(test)]
mod story;

use std::time::Duration;

use metaia_realtime::client::Update;
use serde::Serialize;

use crate::clock;
use crate::event_line::{Columns, Phrase, beginning, wrap};
use crate::printer::{Paint, Report};
use crate::terminal::one_line;
use change::Change;

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
    /// Returns the notice of an update; `None` for events of the application. `order` is the number
    /// of the order whose room was left, if it is known.
    pub(crate) fn of(receiver: &str, update: &Update, order: Option<&str>) -> Option<Self> {
        let change = Change::of(update, order)?;
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

    /// Adds to a lost connection when the next attempt is.
    pub(crate) fn again_in(mut self, delay: Duration) -> Self {
        let again = format!(", again in {:.1} s", delay.as_secs_f64());
        self.change.text.push_str(&again);
        self
    }

    /// Returns advice for people.
    pub(crate) fn advice(&self) -> Option<&str> {
        self.change.advice.as_deref()
    }

    /// Returns the notice as a text in these columns.
    pub(crate) fn in_columns(&self, columns: Columns) -> NoticeText<'_> {
        NoticeText {
            notice: self,
            columns,
        }
    }
}

/// A notice in the columns of the events. What is too long goes on in a further line.
#[derive(Debug, Serialize)]
#[serde(transparent)]
pub(crate) struct NoticeText<'a> {
    notice: &'a Notice,
    #[serde(skip)]
    columns: Columns,
}

impl Report for NoticeText<'_> {
    fn text(&self, paint: Paint) -> String {
        let Notice {
            ts,
            receiver,
            change,
            ..
        } = self.notice;
        let (mark, tone) = change.severity.mark();
        // Text from others must not contain styles.
        let text = one_line(&change.text);
        let below = self.columns.notice_below();
        let lines = match below.or(self.columns.notice()) {
            Some(width) => wrap(&text, width.max(1)),
            None => vec![text.as_ref()],
        };
        let beginning = beginning(*ts, receiver, &self.columns).with(tone, mark);
        let indent = match below {
            Some(_) => "\n".to_owned(),
            None => format!("\n{}", " ".repeat(beginning.width())),
        };
        let first = if below.is_some() { "\n" } else { "" };
        let painted: Vec<String> = lines
            .iter()
            .map(|line| Phrase::new(tone, line).painted(paint))
            .collect();
        format!(
            "{}{first}{}",
            beginning.painted(paint),
            painted.join(&indent)
        )
    }
}

#[cfg(test)]
mod tests {
    use metaia_realtime::client::{DisconnectReason, GaveUp, Transport};
    use proptest::prelude::*;
    use serde_json::json;

    use super::change::{Severity, connected_by, control_change, live, missed};
    use super::*;
    use crate::event_line::width;

    pub(super) fn notice(change: Change) -> Notice {
        Notice {
            k: "line",
            ts: 1_700_000_000_123,
            receiver: "customer:u1".into(),
            change,
        }
    }

    fn columns(limit: Option<usize>) -> Columns {
        Columns::new(limit, "customer:u1".len())
    }

    fn text(change: Change) -> String {
        let notice = notice(change);
        notice.in_columns(columns(None)).text(Paint::PLAIN)
    }

    fn lost() -> Change {
        Change::of(&Update::Disconnected(DisconnectReason::PingTimeout), None).unwrap()
    }

    #[test]
    fn a_notice_has_its_time_and_its_session() {
        insta::assert_snapshot!(
            text(lost()),
            @"22:13:20.123 customer:u1 ⚠ line lost (ping timeout)"
        );
    }

    #[test]
    fn a_lost_connection_and_the_next_attempt_are_one_line() {
        let again = notice(lost()).again_in(Duration::from_millis(1_234));
        let text = again.in_columns(columns(None)).text(Paint::PLAIN);
        insta::assert_snapshot!(
            text,
            @"22:13:20.123 customer:u1 ⚠ line lost (ping timeout), again in 1.2 s"
        );
    }

    #[test]
    fn a_room_that_is_left_has_the_number_of_its_order() {
        let left = json!({"room": "order-o1", "reason": "access_revoked"});
        let said = |number| text(control_change("rt:room_left", &left, number));
        insta::assert_snapshot!(
            said(None),
            @"22:13:20.123 customer:u1 ⚠ left order-o1 (access_revoked)"
        );
        insta::assert_snapshot!(
            said(Some("MT-261129-M636WW")),
            @"22:13:20.123 customer:u1 ⚠ left the room of MT-261129-M636WW (access_revoked)"
        );
    }

    #[test]
    fn a_text_that_is_too_long_goes_on_in_the_next_line() {
        let rooms: Vec<_> = (1..5)
            .map(|n| format!("order-655f3a7be4c7a4f5b2d1c90{n}"))
            .collect();
        let notice = notice(live(&rooms, false, 0, None));
        insta::assert_snapshot!(notice.in_columns(columns(Some(80))).text(Paint::PLAIN), @"
        22:13:20.123 customer:u1 ✓ live in order-655f3a7be4c7a4f5b2d1c901,
                                   order-655f3a7be4c7a4f5b2d1c902,
                                   order-655f3a7be4c7a4f5b2d1c903,
                                   order-655f3a7be4c7a4f5b2d1c904
        ");
    }

    #[test]
    fn a_narrow_terminal_has_the_text_below_the_time() {
        let notice = notice(live(&["customer-room".to_owned()], false, 0, None));
        let lines = notice.in_columns(columns(Some(20))).text(Paint::PLAIN);
        insta::assert_snapshot!(lines, @r"
        22:13:20.123 c:… ✓ 
        live in
        customer-room
        ");
    }

    proptest! {
        #[test]
        fn no_notice_is_wider_than_the_terminal_or_acts_on_it(
            text in any::<String>(),
            receiver in any::<String>(),
            limit in 45_usize..200,
        ) {
            let notice = Notice {
                receiver: receiver.clone(),
                ..notice(Change::new("x", Severity::Info, text, json!({})))
            };
            let columns = Columns::new(Some(limit), width(&one_line(&receiver)));
            let lines = notice.in_columns(columns).text(Paint::PLAIN);
            for line in lines.lines() {
                prop_assert!(width(line) <= limit, "{line:?}");
                prop_assert_eq!(one_line(line), line);
            }
        }
    }

    #[test]
    fn a_control_line_is_one_object() {
        let line = notice(connected_by(Transport::WebSocket, 1));
        let expected = concat!(
            r#"{"k":"line","ts":1700000000123,"as":"customer:u1","is":"connected","#,
            r#""reconnects":1,"transport":"websocket"}"#,
        );
        assert_eq!(serde_json::to_string(&line).unwrap(), expected);
        let gave_up = Update::GaveUp(GaveUp::ServerDisconnect);
        let gave_up = Change::of(&gave_up, None).unwrap();
        let line = serde_json::to_value(notice(gave_up)).unwrap();
        assert_eq!(line["is"], "gave_up");
        assert_eq!(line["why"], "the server ended the session");
    }

    #[test]
    fn each_change_is_a_control_line() {
        let left = json!({"room": "order-o1", "reason": "access_revoked"});
        let changes = [
            connected_by(Transport::WebSocket, 0),
            live(&[], true, 1, Some("p.2")),
            lost(),
            missed("epoch_changed", Some("p.1")),
            control_change("rt:room_left", &left, None),
        ];
        let lines = changes.map(|change| serde_json::to_string(&notice(change)).unwrap());
        let begin = r#"{"k":"line","ts":1700000000123,"as":"customer:u1","#;
        let parts: Vec<_> = lines
            .iter()
            .map(|line| line.strip_prefix(begin).unwrap())
            .collect();
        insta::assert_snapshot!(parts.join("\n"), @r#"
        "is":"connected","reconnects":0,"transport":"websocket"}
        "is":"live","at":"p.2","recovered":true,"replayed":1,"rooms":[]}
        "is":"lost","why":"ping timeout"}
        "is":"gap","at":"p.1","reason":"epoch_changed"}
        "is":"left","reason":"access_revoked","room":"order-o1"}
        "#);
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
            let notice = notice(Change::new("x", severity, "text", json!({})));
            notice.in_columns(columns(None)).text(Paint::COLOURED)
        });
        for (n, one) in coloured.iter().enumerate() {
            assert!(!coloured[..n].contains(one), "{one:?}");
        }
    }
}

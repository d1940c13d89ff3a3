//! The story of an order, as lines of a terminal.

use std::time::Duration;

use metaia_realtime::client::{DisconnectReason, Transport, Update};
use serde_json::{Value, json};

use super::change::{Change, connected_by, control_change, live, missed};
use super::tests::notice;
use super::{Columns, Notice};
use crate::event_line::{EventLine, Memory};
use crate::printer::{Paint, Report as _};

/// The time of the first line.
const BEGIN: i64 = 1_795_950_726_165;

const PEOPLE: [&str; 2] = ["customer:w", "delivery:cli-courier"];

/// The lines of two people at a terminal.
struct Story {
    columns: Columns,
    memories: [Memory; 2],
    ts: i64,
    lines: Vec<String>,
}

impl Story {
    fn new(width: usize) -> Self {
        Self {
            columns: Columns::new(Some(width), PEOPLE[1].len()),
            memories: [Memory::default(), Memory::default()],
            ts: BEGIN,
            lines: Vec::new(),
        }
    }

    fn event(&mut self, person: usize, name: &str, data: Value, latency_ms: i64) {
        self.add_event(person, name, data, latency_ms, false);
    }

    fn replayed(&mut self, person: usize, name: &str, data: Value, latency_ms: i64) {
        self.add_event(person, name, data, latency_ms, true);
    }

    fn add_event(&mut self, person: usize, name: &str, data: Value, late: i64, replayed: bool) {
        self.ts += 4;
        let event = EventLine::example(self.ts, PEOPLE[person], name, data, late, replayed);
        let line = event.in_columns(&mut self.memories[person], self.columns);
        self.lines.push(line.text(Paint::PLAIN));
    }

    fn change(&mut self, person: usize, change: Change) {
        self.notice(person, notice(change));
    }

    fn notice(&mut self, person: usize, notice: Notice) {
        self.ts += 1_203;
        let notice = Notice {
            ts: self.ts,
            receiver: PEOPLE[person].to_owned(),
            ..notice
        };
        let text = notice.in_columns(self.columns).text(Paint::PLAIN);
        self.lines.push(text);
    }
}

fn order(version: u64, status: &str, tailor: Option<&str>, courier: Option<&str>) -> Value {
    json!({
        "_id": "655f3a7be4c7a4f5b2d1c908",
        "orderNumber": "MT-261129-M636WW",
        "customer": "w",
        "tailor": tailor,
        "deliveryPartner": courier,
        "items": [
            {"garment": "sherwani", "quantity": 1, "price": 1_250_000},
            {"garment": "trousers", "quantity": 2, "price": 180_000},
        ],
        "amount": 1_610_000,
        "currency": "INR",
        "status": status,
        "version": version,
        "_rt": {"id": "e1", "at": "p.1", "ts": BEGIN},
    })
}

fn notification(title: &str, message: &str) -> Value {
    let order = "655f3a7be4c7a4f5b2d1c908";
    json!({"title": title, "message": message, "relatedOrder": order, "read": false})
}

fn story(width: usize) -> String {
    let mut story = Story::new(width);
    placed(&mut story);
    assigned(&mut story);
    lost_and_back(&mut story);
    other_events(&mut story);
    ended(&mut story);
    story.lines.join("\n")
}

fn placed(story: &mut Story) {
    story.change(0, connected_by(Transport::WebSocket, 0));
    let rooms = ["customer-room".to_owned(), "user-w".to_owned()];
    story.change(0, live(&rooms, false, 0, None));
    story.event(0, "order_update", order(1, "pending", None, None), 5);
    let placed = notification(
        "Order Placed Successfully",
        "Order MT-261129-M636WW created",
    );
    story.event(0, "new_notification", placed, 5);
    story.event(0, "order_update", order(2, "confirmed", None, None), 3);
}

fn assigned(story: &mut Story) {
    let assigned = order(3, "confirmed", Some("w3"), Some("cli-courier"));
    story.event(0, "order_update", assigned.clone(), 12);
    story.event(1, "order_update", assigned, 12);
    let message = "Order MT-261129-M636WW is assigned to you";
    story.event(
        1,
        "new_notification",
        notification("Order Assigned", message),
        13,
    );
    let moved = |version, status| order(version, status, Some("w3"), Some("cli-courier"));
    story.event(0, "order_update", moved(4, "in_progress"), 1);
    story.event(0, "order_update", moved(5, "ready"), 1);
    let payment = json!({
        "paymentId": "655f3a7be4c7a4f5b2d1c90a",
        "orderId": "655f3a7be4c7a4f5b2d1c908",
        "status": "completed",
        "amount": 1_610_000,
        "currency": "INR",
    });
    story.event(0, "payment_update", payment, 1);
}

fn lost_and_back(story: &mut Story) {
    let reason = DisconnectReason::TransportClose("reset".into());
    let lost = Change::of(&Update::Disconnected(reason), None).unwrap();
    let lost = notice(lost).again_in(Duration::from_millis(1_203));
    story.notice(0, lost);
    story.change(0, connected_by(Transport::WebSocket, 1));
    let missed_one = order(6, "out_for_delivery", Some("w3"), Some("cli-courier"));
    story.replayed(0, "order_update", missed_one, 2_345);
    story.change(0, live(&[], true, 1, None));
    let last = order(7, "delivered", Some("w3"), Some("cli-courier"));
    story.event(0, "order_update", last.clone(), 2);
    story.event(0, "order_update", last, 1_203);
}

fn other_events(story: &mut Story) {
    let read = json!({"all": true, "unreadCount": 0});
    story.event(0, "notification_read", read, 1);
    for status in ["busy", "available"] {
        let changed = json!({"tailorId": "w3", "status": status});
        story.event(0, "tailor_status_update", changed, 1);
    }
    let fitting = json!({
        "orderId": "655f3a7be4c7a4f5b2d1c908",
        "at": "2026-12-01T10:00",
        "note": "bring 日本語 🧵",
        "who": {"id": "w3"},
    });
    story.event(0, "fitting", fitting, 2);
    let title = "पोशाक तैयार है";
    let message = json!({"title": title, "message": "\u{1b}[2J\nसे मिलिए"});
    story.event(0, "new_notification", message, 2);
}

fn ended(story: &mut Story) {
    story.change(0, missed("epoch_changed", None));
    let left = json!({"room": "order-655f3a7be4c7a4f5b2d1c908", "reason": "access_revoked"});
    let number = Some("MT-261129-M636WW");
    story.change(1, control_change("rt:room_left", &left, number));
    story.change(0, Change::end("kicked"));
}

/// Compares the text with a file in `story/`, which may be as wide as a terminal.
fn check(name: &str, text: &str) {
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path("story");
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.bind(|| insta::assert_snapshot!(name, text));
}

#[test]
fn the_story_of_an_order_at_80_columns() {
    check("80_columns", &story(80));
}

#[test]
fn the_story_of_an_order_at_120_columns() {
    check("120_columns", &story(120));
}

#[test]
fn the_story_of_an_order_in_a_pipe() {
    let mut story = Story {
        columns: Columns::new(None, PEOPLE[1].len()),
        ..Story::new(80)
    };
    placed(&mut story);
    assigned(&mut story);
    check("pipe", &story.lines.join("\n"));
}

//! Lines of single events, as text and as data.

use console::{measure_text_width, strip_ansi_codes};
use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;

fn line() -> EventLine {
    let stamp = json!({"id": "e1", "at": "p.1", "ts": 1_700_000_000_120_i64});
    let data = json!({"_id": "o1", "_rt": stamp});
    let ts = 1_700_000_000_123;
    EventLine::example(ts, "customer:u1", "order_update", data, 3, false)
}

#[test]
fn with_its_payload_an_event_has_one_line() {
    insta::assert_snapshot!(
        line().text(Paint::PLAIN),
        @r#"22:13:20.123  customer:u1  order_update  +3 ms  {"_id":"o1"}"#
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
    let columns = Columns::new(Some(80), 11);
    let in_columns = line().in_columns(&mut Memory::default(), columns);
    assert_eq!(serde_json::to_string(&in_columns).unwrap(), expected);
}

#[test]
fn a_replayed_event_is_marked() {
    let line = EventLine {
        replayed: true,
        ..line()
    };
    insta::assert_snapshot!(
        line.text(Paint::PLAIN),
        @r#"22:13:20.123  customer:u1  order_update  +3 ms replayed  {"_id":"o1"}"#
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

/// Returns the line of an event of another person.
fn shown(who: &str, event: &str, data: Value, width: usize) -> String {
    let line = EventLine::example(1_700_000_000_123, who, event, data, 3, false);
    let columns = Columns::new(Some(width), super::width(who));
    line.in_columns(&mut Memory::default(), columns)
        .text(Paint::PLAIN)
}

#[test]
fn a_long_name_keeps_the_user() {
    let shown = |who| shown(who, "x", json!({"n": 1}), 80);
    let begin = "22:13:20.123 c:cli-customer x  ";
    assert!(shown("customer:cli-customer").starts_with(begin));
    let begin = "22:13:20.123 tai:cli-tailor x  ";
    assert!(shown("tailor:cli-tailor").starts_with(begin));
    let begin = "22:13:20.123 d:655f3a7be4c… x  ";
    assert!(shown("delivery:655f3a7be4c7a4f5b2d1c908").starts_with(begin));
}

#[test]
fn an_order_that_was_not_seen_has_the_end_of_its_id() {
    let data = json!({"orderId": "655f3a7be4c7a4f5b2d1c908", "n": 1});
    insta::assert_snapshot!(
        shown("customer:u1", "fitting", data, 80),
        @"22:13:20.123 customer:u1 fitting          …1c908 n=1                        3 ms"
    );
}

#[test]
fn a_narrow_terminal_shows_the_order_and_what_changed() {
    let shown = |width| {
        let status = json!({"_id": "655f3a7be4c7a4f5b2d1c908", "status": "ready"});
        let busy = json!({"tailorId": "w3", "status": "busy"});
        let order = shown("customer:u1", "order_update", status, width);
        let tailor = shown("customer:u1", "tailor_status_update", busy, width);
        format!("{order}\n{tailor}")
    };
    insta::assert_snapshot!(shown(20), @r"
    c:… …1c908 → ready
    c:… tailo… w3 → busy
    ");
    insta::assert_snapshot!(shown(40), @r"
    cust:u1 order_update …1c908 → ready
    cust:u1 tailor_status_upda… w3 → busy
    ");
    insta::assert_snapshot!(shown(59), @r"
    custome:u1 order_update     …1c908 → ready
    custome:u1 tailor_status_update    w3 → busy
    ");
}

#[test]
fn a_long_name_of_an_event_has_the_space_of_the_order() {
    let data = json!({"tailorId": "w3", "status": "busy"});
    insta::assert_snapshot!(
        shown("customer:u1", "tailor_status_update", data, 80),
        @"22:13:20.123 customer:u1 tailor_status_update    w3 → busy                  3 ms"
    );
}

/// Texts of others: among them texts that act, are wide, or have no width.
fn text() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        "[\u{0}-\u{1f}\u{7f}-\u{9f}\u{200e}\u{202a}-\u{202e}]",
        "[漢🧵👩\u{200d}\u{fe0f}\u{301}⚠]{1,8}",
        "[a-z=\" ]{1,30}",
        any::<String>(),
    ];
    proptest::collection::vec(piece, 0..5).prop_map(|pieces| pieces.concat())
}

fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        text().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        Just(json!(null)),
        Just(json!(["x"])),
        Just(json!({"x": 1})),
    ];
    let member = prop_oneof![
        proptest::sample::select(vec![
            "_id",
            "orderNumber",
            "status",
            "tailor",
            "deliveryPartner",
            "amount",
            "currency",
            "version",
            "paymentId",
            "orderId",
            "flags",
            "title",
            "message",
            "relatedOrder",
            "unreadCount",
            "all",
            "ids",
            "tailorId",
            "items",
        ])
        .prop_map(str::to_owned),
        text(),
    ];
    let object = proptest::collection::btree_map(member, leaf.clone(), 0..12);
    prop_oneof![
        leaf,
        object.prop_map(|members| members.into_iter().collect())
    ]
}

fn event() -> impl Strategy<Value = (String, Value, i64, bool)> {
    let name = prop_oneof![
        proptest::sample::select(vec![
            "order_update",
            "payment_update",
            "new_notification",
            "notification_read",
            "tailor_status_update",
            "rt:position",
        ])
        .prop_map(str::to_owned),
        text(),
    ];
    (name, value(), any::<i64>(), any::<bool>())
}

proptest! {
    #[test]
    fn no_line_is_wider_than_the_terminal_or_acts_on_it(
        events in proptest::collection::vec(event(), 1..4),
        who in prop_oneof![Just("customer:u1".to_owned()), text()],
        width in 1_usize..200,
        ts in prop_oneof![Just(1_700_000_000_123), any::<i64>()],
    ) {
        let mut memory = Memory::default();
        let columns = Columns::new(Some(width), super::width(&one_line(&who)));
        for (name, data, latency, replayed) in events {
            let line = EventLine::example(ts, &who, &name, data, latency, replayed);
            let line = line.in_columns(&mut memory, columns);
            let plain = line.text(Paint::PLAIN);
            prop_assert!(super::width(&plain) <= width, "{plain:?}");
            prop_assert!(measure_text_width(&plain) <= width, "{plain:?}");
            prop_assert_eq!(one_line(&plain), plain.as_str());
            let coloured = line.text(Paint::COLOURED);
            prop_assert_eq!(strip_ansi_codes(&coloured), plain);
        }
    }

    #[test]
    fn a_line_without_a_terminal_loses_nothing(
        title in "[a-z ]{0,300}",
        message in "[a-z]{0,300}",
    ) {
        let data = json!({"title": title, "message": message});
        let line = EventLine::example(0, "customer:u1", "new_notification", data, 3, false);
        let line = line.in_columns(&mut Memory::default(), Columns::new(None, 11));
        let text = line.text(Paint::PLAIN);
        let words = format!("{title}: {message}");
        prop_assert!(text.contains(&words), "{text:?}");
    }
}

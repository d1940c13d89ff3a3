//! Packets of clients, and what the engine is given for them.

use super::*;
use proptest::prelude::*;

#[track_caller]
fn check(packet: &str, expected: Option<(PacketKind, &str)>) {
    let read = InboundPacket::read(packet);
    let read = read.as_ref().map(|read| (read.kind, &*read.text));
    assert_eq!(read, expected, "{packet}");
}

#[test]
fn an_event_that_the_engine_can_read_stays_as_it_is() {
    for packet in [
        r#"42["join_order_room","o1"]"#,
        r#"4217["x"]"#,
        r#"42[ "x" , {"a": "\u00fc"} ]"#,
        r#"42/,3["größe",1,2,3]"#,
    ] {
        check(packet, Some((PacketKind::Event, packet)));
    }
}

#[test]
fn a_name_with_needless_escapes_is_written_without_them() {
    let event = |text| Some((PacketKind::Event, text));
    check(r#"42["\u00fc",1]"#, event(r#"42["ü",1]"#));
    check(
        r#"423["join\u005forder_room", "o1" ]"#,
        event(r#"423["join_order_room","o1"]"#),
    );
    check(r#"42["a\/b"]"#, event(r#"42["a/b"]"#));
}

#[test]
fn a_name_that_no_handler_can_have_becomes_an_argument() {
    let event = |text| Some((PacketKind::Event, text));
    check(r#"42["a\"b",{"big":1}]"#, event(r#"42["","a\"b"]"#));
    check(r#"427["a\\b"]"#, event(r#"427["","a\\b"]"#));
    check(r#"42["\n"]"#, event(r#"42["","\n"]"#));
    check(r#"42[""]"#, event(r#"42["",""]"#));
    check(r#"4212[7,"x"]"#, event(r#"4212["",7]"#));
    check("42[1e3]", event(r#"42["",1000.0]"#));
}

#[test]
fn what_is_no_event_keeps_its_ack() {
    for payload in [
        "",
        "[]",
        "{}",
        "[null]",
        "[[\"x\"]]",
        "[\"x\"",
        "[\"x\"]]",
        "nonsense",
    ] {
        let expected = r#"42["",null]"#;
        check(&format!("42{payload}"), Some((PacketKind::Event, expected)));
    }
    check("425[true]", Some((PacketKind::Event, r#"425["",null]"#)));
}

#[test]
fn binary_becomes_an_event_without_its_attachments() {
    let event = |text| Some((PacketKind::Event, text));
    check(
        r#"451-["upload",{"_placeholder":true,"num":0}]"#,
        event(r#"42["",["upload"]]"#),
    );
    check(
        r#"452-/,13["upload",{"_placeholder":true,"num":0}]"#,
        event(r#"4213["",["upload"]]"#),
    );
    check("451-", event(r#"42["",null]"#));
    check("45", event(r#"42["",null]"#));
    check(r#"451-/admin,["x"]"#, None);
    check(r#"461-3["x"]"#, None);
    check("bAQID", None);
    for ack in ["43[]", "437[]", "43", "43/admin,7[]"] {
        check(ack, None);
    }
}

#[test]
fn other_packets_stay_as_they_are() {
    for (packet, kind) in [
        ("40", PacketKind::Connect),
        (r#"40{"token":"t"}"#, PacketKind::Connect),
        (r#"40/,{"token":"t"}"#, PacketKind::Connect),
        ("40/admin,", PacketKind::ConnectElsewhere),
        ("41", PacketKind::Leave),
        ("41/,", PacketKind::Leave),
        ("41/admin,", PacketKind::Other),
        (r#"42/admin,["a\"b"]"#, PacketKind::Other),
        ("3", PacketKind::Pong),
        ("3probe", PacketKind::Other),
        ("2", PacketKind::Other),
        ("2probe", PacketKind::Other),
        ("1", PacketKind::Other),
        ("", PacketKind::Other),
        ("4", PacketKind::Other),
        ("éabcd", PacketKind::Other),
    ] {
        check(packet, Some((kind, packet)));
    }
}

#[test]
fn a_space_before_the_payload_costs_no_ack() {
    let event = |text| Some((PacketKind::Event, text));
    check(r#"4217 ["x"]"#, event(r#"4217["x"]"#));
    check(r#"42/,17  [ "x" ]"#, event(r#"4217[ "x" ]"#));
    check(r#"42 [7]"#, event(r#"42["",7]"#));
}

#[test]
fn an_id_beyond_64_bits_counts_as_absent() {
    let packet = format!("42{}[7]", "9".repeat(30));
    check(&packet, Some((PacketKind::Event, r#"42["",7]"#)));
}

fn packet() -> impl Strategy<Value = String> {
    let payload = prop_oneof![
        any::<i64>().prop_map(|number| format!("[{number}]")),
        any::<String>().prop_map(|text| format!("[{}]", serde_json::json!(text))),
        "\\[\"[a-z\\\\\"]{0,6}\"(,[a-z0-9]{0,3}){0,2}\\]?",
        any::<String>(),
    ];
    (
        "4[0-6]",
        "([0-9]-)?",
        "(/[a-z]{0,2},)?",
        "[0-9]{0,20}",
        payload,
    )
        .prop_map(|(kind, count, ns, ack, payload)| format!("{kind}{count}{ns}{ack}{payload}"))
}

proptest! {
    /// Does what the engine's parser does with an event's name: it reads the first element of the
    /// payload as text without escapes, and all others as JSON.
    #[test]
    fn the_engine_can_read_every_event(packet in packet()) {
        let Some(read) = InboundPacket::read(&packet) else { return Ok(()) };
        prop_assert!(read.text.len() <= packet.len().max(1_024));
        let is_event = read.text.starts_with("42") && read.kind == PacketKind::Event;
        if is_event {
            let rest = without_root(&read.text[2..]);
            let (digits, _) = split_digits(rest);
            let parts: Vec<&RawValue> = serde_json::from_str(&rest[digits.len()..]).unwrap();
            let name: &str = serde_json::from_str(parts[0].get()).unwrap();
            prop_assert!(!name.is_empty() || parts.len() == 2);
        }
    }

    #[test]
    fn anything_can_be_read(packet: String) {
        InboundPacket::read(&packet);
    }
}

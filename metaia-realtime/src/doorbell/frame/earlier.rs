//! Frames that nodes of commit 79f6e03 sent each other, byte by byte. They are read, and the same
//! frames are written, so that those nodes can read ours.

use serde_json::value::RawValue;

use super::*;

const KEY: &str = "e2e-cluster-key-5f1d7a0c9b3e46288d54";

const NOTIFICATION: &str = "\
    4d42010100bb5f2cfa2a2245c3bae116a7ae542f070000000000000000000001a2283a8cfe74cdadecae92922a\
    00000000000000039a84695f3b5299ce9a1d52ee5b0bdc27cab88b8bf1deff261a94d59f37cacef6";
const PROBE: &str = "\
    4d420101018abd2ffb99fa4ae697ef40a888c0c52c0000000000000001000001a2283ab72b74cdadecae92922a\
    00000000000000088c38d759353676632b11586e7c5f48e460296f1400fbbb13bd0ef33fa985289af46f84b983\
    54a43649df32eca1eb0005";
const PROBE_ANSWER: &str = "\
    4d42010102bb5f2cfa2a2245c3bae116a7ae542f070000000000000009000001a2283ab96374cdadecae92922a\
    000000000000000c8c38d759353676632b11586e7c5f48e42e84a99b1d5027eaf9c7272ff9958c728c80c6b355\
    77408da17b5fc6f491d646";
const VOLATILE_EVENT: &str = "\
    4d42010103bb5f2cfa2a2245c3bae116a7ae542f070000000000000003000001a2283a900674cdadecae92922a\
    0000000000000008000107757365722d633105706c6163657b2278223a312e357d98a9e2c1a64114299c59f14c\
    3e28b6a99c77cd57ed9b5c6142daad8192e4ee70";

const PROBE_NUMBER: Probe = Probe(0x8c38_d759_3536_7663_2b11_586e_7c5f_48e4);

fn bytes(hex: &str) -> Vec<u8> {
    let digits: Vec<u8> = hex.bytes().filter(u8::is_ascii_hexdigit).collect();
    let byte = |pair: &[u8]| {
        let pair = std::str::from_utf8(pair).unwrap();
        u8::from_str_radix(pair, 16).unwrap()
    };
    digits.chunks(2).map(byte).collect()
}

fn frame(node: &str, seq: u64, ts: i64, body: FrameBody) -> Frame {
    Frame {
        node: node.parse().unwrap(),
        seq,
        ts,
        body,
    }
}

fn at(n: u64) -> LogHead {
    LogHead {
        epoch: Epoch::from_bits(0x74cd_adec_ae92_922a),
        n,
    }
}

#[track_caller]
fn check(sent: &str, meaning: &Frame) {
    let sent = bytes(sent);
    let key = ClusterKey::new(KEY).unwrap();
    let read = Frame::decode(&sent, Some(&key)).unwrap();
    assert_eq!(format!("{read:?}"), format!("{meaning:?}"));
    assert_eq!(meaning.encode(Some(&key)), Some(sent));
}

const ONE: &str = "bb5f2cfa2a2245c3bae116a7ae542f07";
const OTHER: &str = "8abd2ffb99fa4ae697ef40a888c0c52c";

#[test]
fn a_notification_is_the_same() {
    let body = FrameBody::Notify(at(3));
    check(NOTIFICATION, &frame(ONE, 0, 0x01a2_283a_8cfe, body));
}

#[test]
fn a_probe_and_its_answer_are_the_same() {
    let body = FrameBody::Probe(at(8), PROBE_NUMBER);
    check(PROBE, &frame(OTHER, 1, 0x01a2_283a_b72b, body));
    let body = FrameBody::ProbeAnswer(at(12), PROBE_NUMBER);
    check(PROBE_ANSWER, &frame(ONE, 9, 0x01a2_283a_b963, body));
}

#[test]
fn a_volatile_event_is_the_same() {
    check(VOLATILE_EVENT, &volatile_event(None));
}

/// Those nodes read a payload up to the end of the frame, as JSON, around which there may be white
/// space.
#[test]
fn a_key_is_white_space_behind_the_payload() {
    let key = VolatileKey::new("courier-7");
    let without = volatile_event(None).encode(None).unwrap();
    let with = volatile_event(Some(key)).encode(None).unwrap();
    let (same, added) = with.split_at(without.len());
    assert_eq!(same, without);
    assert_eq!(added.len(), 64);
    let json = format!(r#"{{"x":1.5}}{}"#, std::str::from_utf8(added).unwrap());
    assert_eq!(RawValue::from_string(json).unwrap().get(), r#"{"x":1.5}"#);
}

fn volatile_event(key: Option<VolatileKey>) -> Frame {
    let body = FrameBody::VolatileFrame(VolatileFrame {
        at: at(8),
        rooms: vec![Room::User("c1".parse().unwrap())],
        name: "place".parse().unwrap(),
        payload: RawValue::from_string(r#"{"x":1.5}"#.to_owned()).unwrap(),
        key,
    });
    frame(ONE, 3, 0x01a2_283a_9006, body)
}

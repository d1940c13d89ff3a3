//! Frames, tested with bytes of every kind.

use proptest::prelude::*;
use serde_json::json;

use super::*;

fn key() -> ClusterKey {
    ClusterKey::new("a key of this test").unwrap()
}

fn at() -> impl Strategy<Value = LogHead> {
    (any::<u64>(), any::<u64>()).prop_map(|(epoch, n)| LogHead {
        epoch: Epoch::from_bits(epoch),
        n,
    })
}

fn room() -> impl Strategy<Value = Room> {
    prop_oneof![
        Just(Room::Everyone),
        Just(Room::Role(crate::Role::Delivery)),
        "[A-Za-z0-9_-]{1,64}".prop_map(|id| Room::User(id.parse().unwrap())),
        "[A-Za-z0-9_-]{1,64}".prop_map(|id| Room::Order(id.parse().unwrap())),
    ]
}

fn volatile() -> impl Strategy<Value = VolatileFrame> {
    (
        at(),
        proptest::collection::vec(room(), 0..5),
        "[a-q][A-Za-z0-9_.:-]{0,63}",
        ".{0,40}",
        proptest::option::of(any::<u128>()),
    )
        .prop_map(|(at, rooms, name, text, key)| {
            let (name, payload) = (name, json!([text, 1.5])).into_event().unwrap();
            VolatileFrame {
                at,
                rooms,
                name,
                payload,
                key: key.map(VolatileKey::from_bits),
            }
        })
}

fn body() -> impl Strategy<Value = FrameBody> {
    prop_oneof![
        at().prop_map(FrameBody::Notify),
        at().prop_map(|at| FrameBody::Probe(at, Probe::random())),
        at().prop_map(|at| FrameBody::ProbeAnswer(at, Probe::random())),
        volatile().prop_map(FrameBody::VolatileFrame),
    ]
}

fn frame() -> impl Strategy<Value = Frame> {
    (any::<[u8; 16]>(), any::<u64>(), any::<i64>(), body()).prop_map(|(node, seq, ts, body)| {
        Frame {
            node: NodeId::from_bytes(node),
            seq,
            ts,
            body,
        }
    })
}

/// Returns the frame as text to compare: raw JSON has no `PartialEq`.
fn shown(frame: &Frame) -> String {
    format!("{frame:?}")
}

proptest! {
    #[test]
    fn a_frame_reads_back(frame in frame(), signed in any::<bool>()) {
        let key = signed.then(key);
        let bytes = frame.encode(key.as_ref()).unwrap();
        prop_assert_eq!(Frame::claimed_sender(&bytes), Some(frame.node));
        prop_assert_eq!(shown(&Frame::decode(&bytes, key.as_ref()).unwrap()), shown(&frame));
        // A node without a key accepts signed frames.
        prop_assert_eq!(shown(&Frame::decode(&bytes, None).unwrap()), shown(&frame));
    }

    #[test]
    fn any_bytes_are_a_frame_or_none(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        let _ = Frame::claimed_sender(&bytes);
        let _ = Frame::decode(&bytes, None);
        prop_assert!(Frame::decode(&bytes, Some(&key())).is_err());
    }

    #[test]
    fn a_frame_with_another_byte_is_a_frame_or_none(
        frame in frame(),
        place in any::<prop::sample::Index>(),
        byte in any::<u8>(),
        cut in any::<prop::sample::Index>(),
    ) {
        let mut bytes = frame.encode(None).unwrap();
        let place = place.index(bytes.len());
        bytes[place] = byte;
        if let Ok(read) = Frame::decode(&bytes, None) {
            // A frame that can be read can be written and read again.
            let again = Frame::decode(&read.encode(None).unwrap(), None).unwrap();
            prop_assert_eq!(shown(&again), shown(&read));
        }
        bytes.truncate(cut.index(bytes.len()));
        let _ = Frame::decode(&bytes, None);
    }

    #[test]
    fn a_signed_frame_with_another_bit_is_refused(
        frame in frame(),
        place in any::<prop::sample::Index>(),
        bit in 0u8..8,
    ) {
        let mut bytes = frame.encode(Some(&key())).unwrap();
        let place = place.index(bytes.len());
        bytes[place] ^= 1 << bit;
        prop_assert!(Frame::decode(&bytes, Some(&key())).is_err());
    }
}

fn notification() -> Frame {
    let at = LogHead {
        epoch: Epoch::from_bits(7),
        n: 3,
    };
    Frame {
        node: NodeId::from_bytes([1; 16]),
        seq: 1,
        ts: 2,
        body: FrameBody::Notify(at),
    }
}

#[test]
fn a_node_with_a_key_refuses_frames_without_its_signature() {
    let other = ClusterKey::new("some other key of 16").unwrap();
    for bytes in [
        notification().encode(None).unwrap(),
        notification().encode(Some(&other)).unwrap(),
    ] {
        assert_eq!(
            Frame::decode(&bytes, Some(&key())).unwrap_err(),
            FrameError::Unsigned
        );
    }
}

#[test]
fn a_frame_of_another_version_is_refused() {
    let mut bytes = notification().encode(None).unwrap();
    bytes[2] = 2;
    assert_eq!(
        Frame::decode(&bytes, None).unwrap_err(),
        FrameError::Unreadable
    );
}

#[test]
fn a_frame_with_bytes_after_it_is_refused() {
    let mut bytes = notification().encode(None).unwrap();
    bytes.push(0);
    assert_eq!(
        Frame::decode(&bytes, None).unwrap_err(),
        FrameError::Unreadable
    );
}

fn volatile_frame(rooms: Vec<Room>, payload: &str) -> Frame {
    let at = LogHead {
        epoch: Epoch::from_bits(7),
        n: 3,
    };
    let payload = RawValue::from_string(payload.to_owned()).unwrap();
    Frame {
        body: FrameBody::VolatileFrame(VolatileFrame {
            at,
            rooms,
            name: "at".parse().unwrap(),
            payload,
            key: None,
        }),
        ..notification()
    }
}

#[test]
fn the_largest_payload_fits_and_more_does_not() {
    let text = |length: usize| format!("\"{}\"", "x".repeat(length - 2));
    assert!(
        volatile_frame(vec![Room::Everyone], &text(64 * 1024))
            .encode(Some(&key()))
            .is_some()
    );
    assert!(
        volatile_frame(vec![Room::Everyone], &text(MAX_FRAME_BYTES))
            .encode(None)
            .is_none()
    );
    let long = Room::Order("x".repeat(64).parse().unwrap());
    assert!(
        volatile_frame(vec![long.clone(); 200], "1")
            .encode(Some(&key()))
            .is_some()
    );
    assert!(
        volatile_frame(vec![long; 70_000], "1")
            .encode(None)
            .is_none()
    );
}

#[test]
fn a_payload_that_clients_could_not_read_is_refused() {
    for payload in [
        "1e999",
        r#""\ud800""#,
        &format!("{}{}", "[".repeat(65), "]".repeat(65)),
    ] {
        let bytes = volatile_frame(vec![Room::Everyone], payload)
            .encode(None)
            .unwrap();
        assert_eq!(
            Frame::decode(&bytes, None).unwrap_err(),
            FrameError::Unreadable,
            "{payload}"
        );
    }
}

#[test]
fn a_name_of_this_system_is_refused() {
    let mut frame = volatile_frame(vec![Room::Everyone], "{}");
    let FrameBody::VolatileFrame(event) = &mut frame.body else {
        unreachable!()
    };
    event.name = EventName::system("rt:reset");
    assert_eq!(
        Frame::decode(&frame.encode(None).unwrap(), None).unwrap_err(),
        FrameError::Unreadable
    );
}

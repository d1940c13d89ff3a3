//! Frames of clients, well formed and not.

mod autobahn;

use super::*;
use proptest::prelude::*;

/// Returns a client's frame.
fn frame(first: u8, key: [u8; 4], payload: &[u8]) -> Vec<u8> {
    let mut frame = vec![first];
    match payload.len() {
        len @ 0..=125 => frame.push(0x80 | len as u8),
        len => {
            frame.push(0x80 | 126);
            frame.extend((len as u16).to_be_bytes());
        }
    }
    frame.extend(key);
    frame.extend(
        payload
            .iter()
            .zip(key.iter().cycle())
            .map(|(byte, key)| byte ^ key),
    );
    frame
}

fn read_all(bytes: &[u8], piece: usize) -> Result<Vec<Message>, BadFrame> {
    let mut reader = FrameReader::new(1_000);
    let mut messages = Vec::new();
    for bytes in bytes.chunks(piece) {
        reader.feed(bytes);
        while let Some(message) = reader.next()? {
            messages.push(message);
        }
    }
    Ok(messages)
}

const KEY: [u8; 4] = [1, 2, 3, 4];

#[test]
fn what_a_client_must_not_send_is_an_error() {
    let long = [b'x'; 126];
    for (bytes, error) in [
        (frame(0x83, KEY, b""), BadFrame::Malformed),
        (frame(0xC1, KEY, b"x"), BadFrame::Malformed),
        (frame(0x09, KEY, b""), BadFrame::Malformed),
        (frame(0x89, KEY, &long), BadFrame::Malformed),
        (frame(0x80, KEY, b"x"), BadFrame::Malformed),
        (
            [frame(0x01, KEY, b"x"), frame(0x81, KEY, b"y")].concat(),
            BadFrame::Malformed,
        ),
        (vec![0x81, 1, b'x'], BadFrame::Unmasked),
        (frame(0x81, KEY, &[b'x'; 1_001]), BadFrame::TooLong),
        (
            [frame(0x01, KEY, &[b'x'; 999]), frame(0x80, KEY, b"yz")].concat(),
            BadFrame::TooLong,
        ),
        (frame(0x81, KEY, b"\xff"), BadFrame::NotUtf8),
    ] {
        assert_eq!(read_all(&bytes, 7), Err(error), "{bytes:?}");
    }
    assert_eq!(
        read_all(
            &[
                0x81, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0
            ],
            3
        ),
        Err(BadFrame::TooLong)
    );
}

#[test]
fn control_frames_may_stand_within_a_message() {
    let bytes = [
        frame(0x01, KEY, b"4"),
        frame(0x89, KEY, b"?"),
        frame(0x80, KEY, b"2"),
        frame(0x82, KEY, b"bytes"),
    ];
    let expected = [
        Message::Control(Control::Ping, b"?".to_vec()),
        Message::Text("42".to_owned()),
        Message::Binary,
    ];
    assert_eq!(read_all(&bytes.concat(), 1).unwrap(), expected);
}

proptest! {
    #[test]
    fn messages_are_read_however_the_bytes_are_cut(
        texts in proptest::collection::vec((".{0,200}", any::<[u8; 4]>(), 1usize..90), 0..6),
        piece in 1usize..500,
    ) {
        let mut bytes = Vec::new();
        for (text, key, length) in &texts {
            bytes.extend(frame(0x01, *key, b""));
            for part in text.as_bytes().chunks(*length) {
                bytes.extend(frame(0x00, *key, part));
            }
            bytes.extend(frame(0x80, *key, b""));
        }
        let expected: Vec<_> =
            texts.into_iter().map(|(text, ..)| Message::Text(text)).collect();
        prop_assert_eq!(read_all(&bytes, piece).unwrap(), expected);
    }

    #[test]
    fn anything_can_be_read(bytes: Vec<u8>) {
        read_all(&bytes, 3).ok();
    }
}

/// Reads the bytes in pieces of several sizes, which must not matter.
#[track_caller]
fn check(frames: &[Vec<u8>], expected: Result<&[Message], BadFrame>) {
    let bytes = frames.concat();
    for piece in [1, 2, 7, bytes.len().max(1)] {
        let read = read_all(&bytes, piece);
        let read = read.as_deref().map_err(|bad| *bad);
        assert_eq!(read, expected, "{bytes:x?} in pieces of {piece}");
    }
}

fn text(text: &str) -> Message {
    Message::Text(text.to_owned())
}

fn ping(payload: &[u8]) -> Message {
    Message::Control(Control::Ping, payload.to_vec())
}

fn close(code: u16, reason: &[u8]) -> Vec<u8> {
    [&code.to_be_bytes()[..], reason].concat()
}

#[test]
fn control_frames_are_short_and_whole() {
    let longest = [b'x'; 125];
    check(&[frame(0x89, KEY, b"")], Ok(&[ping(b"")]));
    check(&[frame(0x89, KEY, &longest)], Ok(&[ping(&longest)]));
    for first in [0x88, 0x89, 0x8a] {
        check(&[frame(first, KEY, &[0; 126])], Err(BadFrame::Malformed));
        check(&[frame(first & 0x7f, KEY, b"")], Err(BadFrame::Malformed));
    }
}

#[test]
fn reserved_bits_and_opcodes_are_refused() {
    for reserved in [0x10, 0x20, 0x40, 0x70] {
        for first in [0x81, 0x82, 0x89, 0x88, 0x8a] {
            check(
                &[frame(first | reserved, KEY, b"")],
                Err(BadFrame::Malformed),
            );
        }
    }
    for opcode in (3..=7).chain(11..=15) {
        check(&[frame(0x80 | opcode, KEY, b"x")], Err(BadFrame::Malformed));
    }
}

#[test]
fn frames_of_a_message_follow_each_other() {
    let malformed = Err(BadFrame::Malformed);
    check(&[frame(0x80, KEY, b"x")], malformed);
    check(&[frame(0x00, KEY, b"x")], malformed);
    check(&[frame(0x01, KEY, b""), frame(0x02, KEY, b"")], malformed);
    check(&[frame(0x81, KEY, b"x"), frame(0x80, KEY, b"y")], malformed);
    let pieces = [
        frame(0x01, KEY, b"a"),
        frame(0x00, KEY, b""),
        frame(0x89, KEY, b"1"),
        frame(0x89, KEY, b"2"),
        frame(0x00, KEY, b"b"),
        frame(0x80, KEY, b""),
        frame(0x81, KEY, b"c"),
    ];
    let expected = [ping(b"1"), ping(b"2"), text("ab"), text("c")];
    check(&pieces, Ok(&expected));
}

/// Returns a masked text frame with a length in a longer form.
fn with_length(form: u8, length: &[u8], payload: &[u8]) -> Vec<u8> {
    [&[0x81, 0x80 | form], length, &[0; 4], payload].concat()
}

#[test]
fn a_length_has_its_shortest_form() {
    let malformed = Err(BadFrame::Malformed);
    check(&[with_length(126, &[0, 1], b"x")], malformed);
    check(&[with_length(126, &[0, 125], &[b'x'; 125])], malformed);
    check(
        &[with_length(127, &[0, 0, 0, 0, 0, 0, 0, 1], b"x")],
        malformed,
    );
    let long = "x".repeat(126);
    let valid = with_length(126, &[0, 126], long.as_bytes());
    check(&[valid], Ok(&[text(&long)]));
    let ping_in_long_form = [0x89, 0xfe, 0, 1, 0, 0, 0, 0, b'x'].to_vec();
    check(&[ping_in_long_form], malformed);
}

#[test]
fn a_length_beyond_the_limit_is_refused_before_the_payload_comes() {
    for length in [1_001_u64, 0xffff_ffff, 1 << 63, u64::MAX] {
        let form = if length > 0xffff { 127 } else { 126 };
        let bytes = length.to_be_bytes();
        let length = if form == 127 { &bytes[..] } else { &bytes[6..] };
        check(&[with_length(form, length, b"")], Err(BadFrame::TooLong));
    }
}

#[test]
fn close_frames_have_a_code_that_may_be_sent() {
    let closing = |payload: Vec<u8>| Message::Control(Control::Close, payload);
    check(&[frame(0x88, KEY, b"")], Ok(&[closing(Vec::new())]));
    for code in [
        1_000, 1_001, 1_002, 1_003, 1_007, 1_008, 1_009, 1_010, 1_011, 3_000, 3_999, 4_000, 4_999,
    ] {
        let payload = close(code, "tschüß".as_bytes());
        check(&[frame(0x88, KEY, &payload)], Ok(&[closing(payload)]));
    }
    for code in [
        0, 999, 1_004, 1_005, 1_006, 1_015, 1_016, 1_100, 2_000, 2_999, 5_000, 65_535,
    ] {
        let payload = close(code, b"");
        check(&[frame(0x88, KEY, &payload)], Err(BadFrame::Malformed));
    }
    check(&[frame(0x88, KEY, b"x")], Err(BadFrame::Malformed));
    for reason in [&b"\xff"[..], b"x\xc3", b"\xed\xa0\x80"] {
        let payload = close(1_000, reason);
        check(&[frame(0x88, KEY, &payload)], Err(BadFrame::NotUtf8));
    }
}

#[test]
fn a_character_may_be_divided_between_frames() {
    let bytes = "κόσμε 🎉".as_bytes();
    for cut in 0..=bytes.len() {
        let pieces = [
            frame(0x01, KEY, &bytes[..cut]),
            frame(0x80, KEY, &bytes[cut..]),
        ];
        check(&pieces, Ok(&[text("κόσμε 🎉")]));
    }
    // Binary may be divided anywhere, too.
    let pieces = [frame(0x02, KEY, b"\xff"), frame(0x80, KEY, b"\xff")];
    check(&pieces, Ok(&[Message::Binary]));
}

/// The end of the message never comes.
#[test]
fn text_that_cannot_become_utf8_fails_before_its_end() {
    for bad in [
        &b"\xff"[..],
        b"ok \xc0\xaf",
        b"\xed\xa0\x80",
        b"\xf4\x90\x80\x80",
    ] {
        check(&[frame(0x01, KEY, bad)], Err(BadFrame::NotUtf8));
    }
    let divided = [frame(0x01, KEY, b"\xf4"), frame(0x00, KEY, b"\x90")];
    check(&divided, Err(BadFrame::NotUtf8));
    let unfinished = [frame(0x01, KEY, b"\xf0\x9f"), frame(0x80, KEY, b"")];
    check(&unfinished, Err(BadFrame::NotUtf8));
}

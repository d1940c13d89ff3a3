//! The framing cases of the Autobahn test suite, by its groups: 1 framing, 2 pings and pongs, 3
//! reserved bits, 4 opcodes, 5 fragmentation, 6 UTF-8, 7 close handling. Its cases of time and of
//! load (9 and 10) and of extensions (12 and 13) are not about framing.

use super::*;

const TEXT: u8 = 0x81;
const BINARY: u8 = 0x82;
const CLOSE: u8 = 0x88;
const PING: u8 = 0x89;
const PONG: u8 = 0x8a;
/// Cleared in a frame that is not the last one of its message.
const FIN: u8 = 0x80;
const CONTINUATION: u8 = 0;

/// A limit that the largest message of group 1 keeps exactly.
const LIMIT: usize = 65_536;

/// Reads the frames in pieces of several sizes. Returns what was read before an error, too.
#[track_caller]
fn check(frames: &[(u8, &[u8])], messages: &[Message], error: Option<BadFrame>) {
    let bytes: Vec<u8> = frames
        .iter()
        .flat_map(|(first, payload)| long_frame(*first, payload))
        .collect();
    for piece in [1, 997, bytes.len().max(1)] {
        let mut reader = FrameReader::new(LIMIT);
        let mut read = Vec::new();
        let end = bytes.chunks(piece).try_for_each(|bytes| {
            reader.feed(bytes);
            while let Some(message) = reader.next()? {
                read.push(message);
            }
            Ok(())
        });
        assert!(read == messages, "{} messages were read", read.len());
        assert_eq!(end.err(), error, "in pieces of {piece}");
    }
}

/// Returns a client's frame, of any length.
fn long_frame(first: u8, payload: &[u8]) -> Vec<u8> {
    if payload.len() <= 0xffff {
        return frame(first, KEY, payload);
    }
    let masked = payload.iter().zip(KEY.iter().cycle());
    let masked = masked.map(|(byte, key)| byte ^ key);
    let head = [
        &[first, 0xff],
        &(payload.len() as u64).to_be_bytes()[..],
        &KEY,
    ]
    .concat();
    head.into_iter().chain(masked).collect()
}

fn pong(payload: &[u8]) -> Message {
    Message::Control(Control::Pong, payload.to_vec())
}

fn closing(payload: &[u8]) -> Message {
    Message::Control(Control::Close, payload.to_vec())
}

#[test]
fn group_1_messages_of_every_length() {
    for length in [0, 125, 126, 127, 128, 65_535, 65_536] {
        let payload = "*".repeat(length);
        check(&[(TEXT, payload.as_bytes())], &[text(&payload)], None);
        check(&[(BINARY, &vec![0xfe; length])], &[Message::Binary], None);
    }
    let too_long = vec![b'*'; LIMIT + 1];
    for first in [TEXT, BINARY, TEXT & !FIN] {
        check(&[(first, &too_long)], &[], Some(BadFrame::TooLong));
    }
}

#[test]
fn group_2_pings_and_pongs() {
    let longest = [0xfe; 125];
    for payload in [&b""[..], b"Hello", b"\x00\xff\xfe\xfd", &longest] {
        check(&[(PING, payload)], &[ping(payload)], None);
        check(&[(PONG, payload)], &[pong(payload)], None);
    }
    check(&[(PING, &[0xfe; 126])], &[], Some(BadFrame::Malformed));
    let unsolicited = [(PONG, &b"unsolicited"[..]), (PING, b"ping")];
    check(&unsolicited, &[pong(b"unsolicited"), ping(b"ping")], None);
    let ten: Vec<[u8; 1]> = (0..10).map(|i| [i]).collect();
    let frames: Vec<_> = ten.iter().map(|payload| (PING, &payload[..])).collect();
    let pings: Vec<_> = ten.iter().map(|payload| ping(payload)).collect();
    check(&frames, &pings, None);
}

#[test]
fn group_3_reserved_bits() {
    for bits in 1..=7 {
        let reserved = bits << 4;
        for first in [TEXT, BINARY, CLOSE, PING, PONG, TEXT & !FIN] {
            for payload in [&b""[..], b"Hello"] {
                let frames = [(TEXT, &b"1"[..]), (first | reserved, payload), (PING, b"")];
                check(&frames, &[text("1")], Some(BadFrame::Malformed));
            }
        }
    }
    let within = [(TEXT & !FIN, &b"a"[..]), (FIN | 0x40, b"b")];
    check(&within, &[], Some(BadFrame::Malformed));
}

#[test]
fn group_4_opcodes() {
    for opcode in (3..=7).chain(0xb..=0xf) {
        for payload in [&b""[..], b"reserved"] {
            for first in [FIN | opcode, opcode] {
                let frames = [(TEXT, &b"1"[..]), (first, payload), (PING, b"")];
                check(&frames, &[text("1")], Some(BadFrame::Malformed));
            }
        }
    }
}

#[test]
fn group_5_fragments_of_messages() {
    let first = TEXT & !FIN;
    let whole = [(first, &b"fragment1"[..]), (FIN, b"fragment2")];
    check(&whole, &[text("fragment1fragment2")], None);
    let with_pings = [
        (first, &b"1"[..]),
        (PING, b"ping 1"),
        (CONTINUATION, b"2"),
        (CONTINUATION, b""),
        (PING, b"ping 2"),
        (PONG, b"pong"),
        (FIN, b"3"),
        (TEXT, b"next"),
    ];
    let read = [
        ping(b"ping 1"),
        ping(b"ping 2"),
        pong(b"pong"),
        text("123"),
        text("next"),
    ];
    check(&with_pings, &read, None);
}

#[test]
fn group_5_fragments_that_do_not_belong_together() {
    let malformed = Some(BadFrame::Malformed);
    let first = TEXT & !FIN;
    for control in [PING, PONG, CLOSE] {
        check(&[(control & !FIN, b""), (FIN, b"")], &[], malformed);
    }
    for lone in [CONTINUATION, FIN] {
        check(&[(lone, b"x"), (TEXT, b"y")], &[], malformed);
        let behind = [(first, &b"1"[..]), (FIN, b"2"), (lone, b"x"), (TEXT, b"y")];
        check(&behind, &[text("12")], malformed);
    }
    for another in [TEXT, BINARY, first, BINARY & !FIN] {
        check(&[(first, b"1"), (another, b"2")], &[], malformed);
        check(&[(BINARY & !FIN, b"1"), (another, b"2")], &[], malformed);
    }
}

/// The sequences of Markus Kuhn's test, as the suite has them.
#[test]
fn group_6_texts_that_are_utf8() {
    for valid in [
        "",
        "Hello-µ@ßöäüàá-UTF-8!!",
        "κόσμε",
        "\0",
        "\u{80}\u{7ff}\u{800}\u{ffff}\u{10000}\u{10ffff}",
        "\u{7f}\u{d7ff}\u{e000}\u{fffd}",
        "\u{fdd0}\u{fffe}\u{1fffe}\u{1ffff}\u{2fffe}",
    ] {
        let bytes = valid.as_bytes();
        check(&[(TEXT, bytes)], &[text(valid)], None);
        let mut bytewise = vec![(TEXT & !FIN, &b""[..])];
        bytewise.extend(bytes.chunks(1).map(|byte| (CONTINUATION, byte)));
        bytewise.push((FIN, b""));
        check(&bytewise, &[text(valid)], None);
    }
}

#[test]
fn group_6_texts_that_are_not_utf8() {
    for invalid in [
        // Lonely and missing continuation bytes.
        &b"\x80"[..],
        b"\xbf",
        b"\x80\xbf\x80",
        b"\xc0 \xc1 ",
        b"\xe0 \xef ",
        b"\xf0 \xf7 ",
        b"\xc0",
        b"\xe0\x80",
        b"\xf0\x80\x80",
        // Bytes that never occur, and sequences of five and six bytes.
        b"\xfe",
        b"\xff",
        b"\xf8\x88\x80\x80\x80",
        b"\xfc\x84\x80\x80\x80\x80",
        // Longer than they need be.
        b"\xc0\xaf",
        b"\xe0\x80\xaf",
        b"\xf0\x80\x80\xaf",
        b"\xc1\xbf",
        b"\xe0\x9f\xbf",
        b"\xf0\x8f\xbf\xbf",
        // Surrogates, alone and in pairs.
        b"\xed\xa0\x80",
        b"\xed\xbf\xbf",
        b"\xed\xa0\x80\xed\xb0\x80",
        // Beyond the last character.
        b"\xf4\x90\x80\x80",
        b"\xf7\xbf\xbf\xbf",
    ] {
        let bytes = [b"\xce\xba", invalid, b"edited"].concat();
        let not_utf8 = Some(BadFrame::NotUtf8);
        check(&[(TEXT, &bytes), (TEXT, b"x")], &[], not_utf8);
        let mut bytewise = vec![(TEXT & !FIN, &b""[..])];
        bytewise.extend(bytes.chunks(1).map(|byte| (CONTINUATION, byte)));
        check(&bytewise, &[], not_utf8);
        // A message of bytes may contain them.
        check(&[(BINARY, &bytes)], &[Message::Binary], None);
    }
}

#[test]
fn group_7_close_frames() {
    let reason = [b'*'; 123];
    for payload in [
        Vec::new(),
        close(1_000, b""),
        close(1_000, b"Hello"),
        close(1_000, &reason),
    ] {
        check(&[(CLOSE, &payload)], &[closing(&payload)], None);
    }
    for payload in [b"\x03".to_vec(), close(1_000, &[b'*'; 124])] {
        check(&[(CLOSE, &payload)], &[], Some(BadFrame::Malformed));
    }
    let bad_reason = close(1_000, b"\xce\xba\xe1\xbd\xb9\xf4\x90\x80\x80");
    check(&[(CLOSE, &bad_reason)], &[], Some(BadFrame::NotUtf8));
    // Within a message, and before other frames. The connection does not read on.
    let normal = close(1_000, b"");
    let frames = [
        (TEXT & !FIN, &b"1"[..]),
        (CLOSE, &normal),
        (FIN, b"2"),
        (PING, b""),
    ];
    check(&frames, &[closing(&normal), text("12"), ping(b"")], None);
}

#[test]
fn group_7_codes_of_close_frames() {
    for code in [
        1_000, 1_001, 1_002, 1_003, 1_007, 1_008, 1_009, 1_010, 1_011, 3_000, 4_999,
    ] {
        let payload = close(code, b"");
        check(&[(CLOSE, &payload)], &[closing(&payload)], None);
    }
    for code in [
        0, 999, 1_004, 1_005, 1_006, 1_016, 1_100, 2_000, 2_999, 5_000, 65_535,
    ] {
        let payload = close(code, b"");
        check(&[(CLOSE, &payload)], &[], Some(BadFrame::Malformed));
    }
}

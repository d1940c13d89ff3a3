//! Frames of clients, well formed and not.

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
    fn what_is_written_for_the_engine_can_be_read(text in ".{0,300}", payload: [u8; 9]) {
        let mut frames = Vec::new();
        append_client_text(&mut frames, &text);
        append_client_control(&mut frames, Control::Close, &payload);
        let expected = [
            Message::Text(text),
            Message::Control(Control::Close, payload.to_vec()),
        ];
        prop_assert_eq!(read_all(&frames, 11).unwrap(), expected);
    }

    #[test]
    fn anything_can_be_read(bytes: Vec<u8>) {
        read_all(&bytes, 3).ok();
    }
}

//! Property tests: the scanners find the same packets however the bytes are cut.

use proptest::{collection::vec, prelude::*};

use super::*;

fn packet() -> impl Strategy<Value = String> {
    prop_oneof![
        Just("2".to_owned()),
        Just("3".to_owned()),
        Just("3probe".to_owned()),
        Just("6".to_owned()),
        "4[0-4]\\[\"[a-z]{0,300}\"\\]",
        ("42[a-z]", 65_530usize..65_600)
            .prop_map(|(head, len)| format!("{head}{}", "x".repeat(len))),
    ]
}

/// Returns the counts of `packets`.
fn expected(packets: &[String]) -> Written {
    let mut written = Written::default();
    for packet in packets {
        match packet.as_bytes() {
            b"2" => written.before_ping = Some(written.packets),
            [b'4', b'1'..=b'3', ..] => written.packets += 1,
            _ => {}
        }
    }
    written
}

fn in_pieces(bytes: &[u8], piece: usize, mut scan: impl FnMut(&[u8]) -> Written) -> Written {
    bytes.chunks(piece).fold(Written::default(), |sum, bytes| {
        let written = scan(bytes);
        Written {
            packets: sum.packets + written.packets,
            before_ping: written
                .before_ping
                .map(|before| sum.packets + before)
                .or(sum.before_ping),
        }
    })
}

fn frame(opcode: u8, ends: bool, key: Option<[u8; 4]>, payload: &[u8]) -> Vec<u8> {
    let masked = if key.is_some() { 0x80 } else { 0 };
    let mut frame = vec![opcode | if ends { 0x80 } else { 0 }];
    match payload.len() {
        len @ 0..=125 => frame.push(masked | len as u8),
        len @ 126..=65_535 => {
            frame.push(masked | 126);
            frame.extend((len as u16).to_be_bytes());
        }
        len => {
            frame.push(masked | 127);
            frame.extend((len as u64).to_be_bytes());
        }
    }
    frame.extend(key.iter().flatten());
    let key = key.unwrap_or_default();
    frame.extend(
        payload
            .iter()
            .enumerate()
            .map(|(i, byte)| byte ^ key[i % 4]),
    );
    frame
}

/// Cuts a message into frames of `piece` bytes, with a WebSocket ping before each.
fn message(payload: &[u8], piece: usize, key: [u8; 4]) -> Vec<u8> {
    let pieces: Vec<&[u8]> = payload.chunks(piece).collect();
    let empty = frame(1, false, Some(key), b"");
    pieces
        .iter()
        .enumerate()
        .fold(empty, |mut frames, (i, payload)| {
            frames.extend(frame(9, true, Some(key), b"3"));
            frames.extend(frame(0, i + 1 == pieces.len(), Some(key), payload));
            frames
        })
}

fn inbound() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        Just(b"3".to_vec()),
        Just(b"2probe".to_vec()),
        Just(b"5".to_vec()),
        vec(any::<u8>(), 0..300).prop_map(|rest| [b"42", &rest[..]].concat()),
        vec(any::<u8>(), 65_600).prop_map(|rest| [b"43", &rest[..]].concat()),
    ]
}

proptest! {
    #[test]
    fn packets_and_pings_are_found_however_the_writes_are_cut(
        packets in vec(packet(), 0..8),
        piece in 1usize..5_000,
    ) {
        let head = b"HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\n\r\n";
        let mut socket = head.to_vec();
        for packet in &packets {
            socket.extend(frame(1, true, None, packet.as_bytes()));
        }
        let mut frames = FrameScanner::default();
        let in_frames = in_pieces(&socket, piece, |bytes| frames.scan(bytes));
        prop_assert_eq!(in_frames, expected(&packets));
        let payload = packets.join("\u{1e}");
        let mut body = PacketScanner::default();
        let in_body = in_pieces(payload.as_bytes(), piece, |bytes| body.written(bytes));
        prop_assert_eq!(in_body, expected(&packets));
    }

    #[test]
    fn pongs_are_found_however_the_reads_and_the_messages_are_cut(
        messages in vec((inbound(), any::<[u8; 4]>(), 1usize..400), 0..8),
        piece in 1usize..5_000,
    ) {
        let mut pongs = PongScanner::default();
        let mut found = 0;
        for (payload, key, frame) in &messages {
            let bytes = message(payload, *frame, *key);
            found += bytes.chunks(piece).filter(|bytes| pongs.scan(bytes)).count();
        }
        prop_assert_eq!(found, messages.iter().filter(|(payload, ..)| payload == b"3").count());
    }

    #[test]
    fn pongs_are_found_in_the_bodies_of_posts(
        packets in vec("3|40\\{\\}|42\\[\"3\"\\]|2probe", 0..8),
    ) {
        let payload = packets.join("\u{1e}");
        let mut body = PacketScanner::default();
        let found = payload.as_bytes().chunks(1).filter(|byte| body.has_pong(byte)).count();
        prop_assert_eq!(found, packets.iter().filter(|packet| *packet == "3").count());
    }

    #[test]
    fn anything_can_be_scanned(bytes: Vec<u8>) {
        let mut frames = FrameScanner::default();
        frames.scan(b"\r\n\r\n");
        frames.scan(&bytes);
        PongScanner::default().scan(&bytes);
        PacketScanner::default().written(&bytes);
        PacketScanner::default().has_pong(&bytes);
    }
}

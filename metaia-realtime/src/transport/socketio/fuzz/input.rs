//! Random input: packets, frames, streams of frames, well formed and not, and cuts of them.

use rand::{RngExt as _, rngs::StdRng, seq::IndexedRandom as _};

/// The limit on a message that the targets set.
pub(in crate::transport::socketio) const MAX_MESSAGE: usize = 2_000;

const PACKETS: [&str; 26] = [
    "40",
    r#"40{"token":"t","since":"a.1","orders":["o1"]}"#,
    "40/,",
    r#"40/admin,{"token":"t"}"#,
    "40/admin?x=1,",
    "41",
    "41/,",
    r#"42["join_order_room","o1"]"#,
    r#"4217["größe",1,{"a":[null]}]"#,
    r#"42/,3[ "x" , 1e3 ]"#,
    r#"42["a\"b\u00fc\ud83c\udf89"]"#,
    r#"42[7,"x"]"#,
    "42[]",
    "42/admin,[]",
    "43[1]",
    "44{}",
    r#"451-["x",{"_placeholder":true,"num":0}]"#,
    "4599-/,7[[]]",
    "461-1[1]",
    "bAAAA",
    "2",
    "2probe",
    "3",
    "5",
    "6",
    "1",
];

/// Text that means something in a packet.
const PIECES: [&str; 16] = [
    "4", "0", "2", "/", ",", "[", "]", "\"", "\\", "{", "}", "-", "ü", "🎉", "\\ud800", "\u{1e}",
];

/// Returns the text of a packet, which may be changed in places.
pub(in crate::transport::socketio) fn packet(rng: &mut StdRng) -> String {
    let mut text = PACKETS.choose(rng).copied().unwrap_or_default().to_owned();
    if rng.random_bool(0.4) {
        return text;
    }
    for _ in 0..rng.random_range(1..6) {
        let place = char_place(rng, &text);
        match rng.random_range(0..4) {
            0 => text.truncate(place),
            1 => text.insert(place, rng.random()),
            2 => {
                let piece = PIECES.choose(rng).copied().unwrap_or_default();
                text.insert_str(place, &piece.repeat(rng.random_range(1..40)));
            }
            _ => {
                text.drain(..place);
            }
        }
    }
    text
}

/// Returns a place between two characters.
fn char_place(rng: &mut StdRng, text: &str) -> usize {
    let places: Vec<usize> = text.char_indices().map(|(place, _)| place).collect();
    places.choose(rng).copied().unwrap_or_default()
}

/// Returns a frame as a client sends it.
pub(in crate::transport::socketio) fn frame(
    rng: &mut StdRng,
    first: u8,
    payload: &[u8],
) -> Vec<u8> {
    let key: [u8; 4] = rng.random();
    let mut frame = vec![first];
    match payload.len() {
        length @ 0..=125 => frame.push(0x80 | length as u8),
        length => {
            frame.push(0x80 | 126);
            frame.extend((length as u16).to_be_bytes());
        }
    }
    frame.extend(key);
    let masked = payload.iter().zip(key.iter().cycle());
    frame.extend(masked.map(|(byte, key)| byte ^ key));
    frame
}

/// Returns the frames of a message, with pings and pongs between them.
pub(in crate::transport::socketio) fn message(
    rng: &mut StdRng,
    opcode: u8,
    payload: &[u8],
) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut first = opcode;
    let mut rest = payload;
    while rng.random_bool(0.3) {
        let (piece, behind) = rest.split_at(rng.random_range(0..=rest.len()));
        bytes.extend(frame(rng, first, piece));
        first = 0;
        rest = behind;
        if rng.random_bool(0.3) {
            let control = *[0x89, 0x8a].choose(rng).unwrap_or(&0x89);
            let length = rng.random_range(0..126);
            bytes.extend(frame(rng, control, &vec![b'p'; length]));
        }
    }
    bytes.extend(frame(rng, 0x80 | first, rest));
    bytes
}

/// Returns what a client may send: messages and other frames, some of them malformed.
pub(in crate::transport::socketio) fn stream(rng: &mut StdRng) -> Vec<u8> {
    let mut bytes = Vec::new();
    for _ in 0..rng.random_range(0..12) {
        match rng.random_range(0..20) {
            0 => bytes.extend(binary(rng)),
            1 => {
                let first = rng.random();
                let length = rng.random_range(0..200);
                bytes.extend(frame(rng, first, &vec![0xc3; length]));
            }
            2 => {
                let length = rng.random_range(MAX_MESSAGE - 2..MAX_MESSAGE + 2);
                bytes.extend(message(rng, 1, &vec![b'x'; length]));
            }
            3 => {
                let length = rng.random_range(0..40);
                bytes.extend((0..length).map(|_| rng.random::<u8>()));
            }
            _ => {
                let text = packet(rng);
                bytes.extend(message(rng, 1, text.as_bytes()));
            }
        }
    }
    if rng.random_bool(0.3) {
        spoil(rng, &mut bytes);
    }
    bytes
}

fn binary(rng: &mut StdRng) -> Vec<u8> {
    let length = rng.random_range(0..300);
    message(rng, 2, &vec![0xff; length])
}

/// Changes, adds and removes some bytes.
fn spoil(rng: &mut StdRng, bytes: &mut Vec<u8>) {
    for _ in 0..rng.random_range(1..4) {
        if bytes.is_empty() {
            return;
        }
        let place = rng.random_range(0..bytes.len());
        match rng.random_range(0..4) {
            0 => bytes[place] ^= 1 << rng.random_range(0..8),
            1 => bytes.insert(place, rng.random()),
            2 => {
                bytes.remove(place);
            }
            _ => bytes.truncate(place),
        }
    }
}

/// Cuts bytes at random places.
pub(in crate::transport::socketio) fn cut<'a>(rng: &mut StdRng, bytes: &'a [u8]) -> Vec<&'a [u8]> {
    let longest = *[1, 3, 20, 600].choose(rng).unwrap_or(&1);
    let mut pieces = Vec::new();
    let mut rest = bytes;
    while !rest.is_empty() {
        let length = rng.random_range(1..=longest).min(rest.len());
        let (piece, behind) = rest.split_at(length);
        pieces.push(piece);
        rest = behind;
    }
    pieces
}

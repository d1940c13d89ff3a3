//! Frames and handshakes, fuzzed.

use http::{HeaderMap, HeaderValue, Request};
use rand::{RngExt as _, rngs::StdRng, seq::IndexedRandom as _};

use super::{BadFrame, FrameReader, Message, answer};
use crate::transport::socketio::fuzz::{
    input::{MAX_MESSAGE, cut, message, packet, stream},
    run,
};

/// The messages of a stream, and the error that ended it.
type Read = (Vec<Message>, Option<BadFrame>);

fn check_length(message: &Message) {
    if let Message::Text(text) = message {
        assert!(text.len() <= MAX_MESSAGE, "{} bytes", text.len());
    }
}

/// Reads pieces, and checks what the reader holds between them.
fn read(pieces: &[&[u8]]) -> Read {
    let mut reader = FrameReader::new(MAX_MESSAGE);
    let mut messages = Vec::new();
    for piece in pieces {
        reader.feed(piece);
        loop {
            match reader.next() {
                Ok(Some(message)) => {
                    check_length(&message);
                    messages.push(message);
                }
                Ok(None) => break,
                Err(bad) => return (messages, Some(bad)),
            }
        }
        // A message, a frame of as many bytes, and the piece; a `Vec` has twice as much at most.
        let most = 2 * (2 * MAX_MESSAGE + piece.len() + 14);
        assert!(reader.capacity() <= most, "{} bytes", reader.capacity());
    }
    (messages, None)
}

#[test]
fn frames_are_read_alike_however_they_are_cut() {
    run(|rng| {
        let bytes = stream(rng);
        let whole = read(&[&bytes]);
        assert_eq!(read(&cut(rng, &bytes)), whole);
    });
}

#[test]
fn messages_are_read_as_they_were_sent() {
    run(|rng| {
        let sent: Vec<String> = (0..5).map(|_| packet(rng)).collect();
        let frames = sent.iter().map(|text| message(rng, 1, text.as_bytes()));
        let bytes: Vec<u8> = frames.collect::<Vec<_>>().concat();
        let (mut messages, bad) = read(&cut(rng, &bytes));
        assert_eq!(bad, None);
        messages.retain(|message| matches!(message, Message::Text(_)));
        let sent: Vec<_> = sent.into_iter().map(Message::Text).collect();
        assert_eq!(messages, sent);
    });
}

/// Returns headers of which some are missing, repeated, or changed.
fn headers(rng: &mut StdRng) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for (name, value) in [
        ("connection", "keep-alive, Upgrade"),
        ("upgrade", "websocket"),
        ("sec-websocket-version", "13"),
        ("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ=="),
        ("sec-websocket-protocol", " chat ,v2"),
    ] {
        let mut value = value.as_bytes().to_vec();
        if rng.random_bool(0.15) {
            let place = rng.random_range(0..value.len());
            value[place] = *b",; =\xff\x80a\t".choose(rng).unwrap_or(&b',');
        }
        let times = *[0, 1, 1, 1, 1, 1, 1, 2].choose(rng).unwrap_or(&1);
        for _ in 0..times {
            if let Ok(value) = HeaderValue::from_bytes(&value) {
                headers.append(name, value);
            }
        }
    }
    headers
}

#[test]
fn a_handshake_is_answered_only_if_it_is_whole() {
    let mut opened = 0;
    run(|rng| {
        let mut request = Request::new(());
        *request.headers_mut() = headers(rng);
        let Ok(response) = answer(&request) else {
            return;
        };
        opened += 1;
        let key = &request.headers()["sec-websocket-key"];
        assert_eq!(key.len(), 24);
        assert_eq!(request.headers()["sec-websocket-version"], "13");
        let protocol = response.headers().get("sec-websocket-protocol");
        let is_token = |protocol: &HeaderValue| !protocol.as_bytes().contains(&b',');
        assert!(protocol.is_none_or(is_token), "{protocol:?}");
    });
    assert!(opened > 0);
}

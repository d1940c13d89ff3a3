//! Frames of WebSocket that a client must not send (RFC 6455, 5 and 7.4), and those that it may.

use futures_util::future::join_all;
use metaia_realtime::{
    client::Transport,
    testing::{TestServer, eventually},
};

use crate::support::{
    on_each_websocket,
    raw_frames::{CLOSE, Frame, RawFrames, TEXT, client_frame},
};

on_each_websocket! {
    #[tokio::test]
    a_forbidden_frame_ends_a_session_in_the_same_way,
    a_close_frame_is_answered_by_the_same_one,
    a_message_in_pieces_with_pings_between_is_one_message,
    a_forbidden_frame_is_answered_by_a_close_frame,
    a_forbidden_packet_ends_a_session_with_the_close_of_the_engine,
}

const PROTOCOL_ERROR: u16 = 1_002;
const NOT_UTF8: u16 = 1_007;
const TOO_LONG: u16 = 1_009;

/// Frames that end a connection, with the code of the close frame that answers them.
fn forbidden() -> Vec<(Vec<u8>, u16)> {
    let close = |code: u16, reason: &[u8]| {
        let payload = [&code.to_be_bytes()[..], reason].concat();
        client_frame(CLOSE, &payload)
    };
    vec![
        (vec![TEXT, 1, b'3'], PROTOCOL_ERROR),
        (client_frame(0xc1, b"3"), PROTOCOL_ERROR),
        (client_frame(0x83, b""), PROTOCOL_ERROR),
        (client_frame(0x8b, b""), PROTOCOL_ERROR),
        (client_frame(0x09, b""), PROTOCOL_ERROR),
        (client_frame(0x89, &[0; 126]), PROTOCOL_ERROR),
        (client_frame(0x80, b"3"), PROTOCOL_ERROR),
        (client_frame(TEXT, b"\xff"), NOT_UTF8),
        (client_frame(0x01, b"\xff"), NOT_UTF8),
        (client_frame(TEXT, &[b'3'; 70_000]), TOO_LONG),
        (client_frame(CLOSE, b"x"), PROTOCOL_ERROR),
        (close(999, b""), PROTOCOL_ERROR),
        (close(1_005, b""), PROTOCOL_ERROR),
        (close(5_000, b""), PROTOCOL_ERROR),
        (close(1_000, b"\xff"), NOT_UTF8),
    ]
}

async fn check(frames: &mut RawFrames, sent: &[u8], code: u16) {
    // More follows, which must not reset the connection before the client has the close frame.
    let more = client_frame(TEXT, &[b'3'; 1_000]).repeat(20);
    frames.send(&[sent, &more].concat()).await;
    let start = &sent[..sent.len().min(20)];
    assert_eq!(
        frames.close_payload().await,
        code.to_be_bytes(),
        "{start:x?}"
    );
}

async fn a_forbidden_frame_is_answered_by_a_close_frame(transport: Transport) {
    let server = TestServer::start(|builder| builder).await;
    let checks = forbidden().into_iter().map(async |(sent, code)| {
        let mut frames = RawFrames::open_over(&server, transport).await;
        check(&mut frames, &sent, code).await;
    });
    join_all(checks).await;
}

async fn a_forbidden_frame_ends_a_session_in_the_same_way(transport: Transport) {
    let server = TestServer::start(|builder| builder).await;
    let checks = forbidden().into_iter().map(async |(sent, code)| {
        let mut frames = RawFrames::connect_over(&server, transport).await;
        check(&mut frames, &sent, code).await;
    });
    join_all(checks).await;
    eventually("the end of the sessions", || {
        server.realtime().local_sessions().is_empty()
    })
    .await;
}

async fn a_close_frame_is_answered_by_the_same_one(transport: Transport) {
    let server = TestServer::start(|builder| builder).await;
    for payload in [
        &b""[..],
        &1_000_u16.to_be_bytes(),
        &[0x0b, 0xb8, b'b', b'y', b'e'],
    ] {
        let mut frames = RawFrames::connect_over(&server, transport).await;
        frames.send(&client_frame(CLOSE, payload)).await;
        assert_eq!(frames.close_payload().await, payload);
    }
}

async fn a_forbidden_packet_ends_a_session_with_the_close_of_the_engine(transport: Transport) {
    let server = TestServer::start(|builder| builder).await;
    for packet in ["7", "2probe", "44{}", ""] {
        let mut frames = RawFrames::connect_over(&server, transport).await;
        frames.send(&client_frame(TEXT, packet.as_bytes())).await;
        assert_eq!(frames.text().await, "1", "{packet}");
        assert_eq!(frames.close_payload().await, b"");
    }
}

async fn a_message_in_pieces_with_pings_between_is_one_message(transport: Transport) {
    let server = TestServer::start(|builder| builder).await;
    let mut frames = RawFrames::connect_over(&server, transport).await;
    let sent = [
        client_frame(0x01, "421[\"ü".as_bytes().split_last().unwrap().1),
        client_frame(0x89, b"one"),
        client_frame(0x00, "ü".as_bytes().split_first().unwrap().1),
        client_frame(0x8a, b"unasked"),
        client_frame(0x80, b"\"]"),
    ]
    .concat();
    for byte in sent {
        frames.send(&[byte]).await;
    }
    let pong = Frame {
        first: 0x8a,
        payload: b"one".to_vec(),
    };
    assert_eq!(frames.next().await, Some(pong));
    let answer = frames.text().await;
    assert!(answer.starts_with("431[{"), "{answer}");
}

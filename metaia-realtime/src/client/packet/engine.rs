//! Engine.IO v4: one packet as text, and several packets in one polling payload.

use std::time::Duration;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use bytes::Bytes;
use serde::Deserialize;

use super::DecodeError;
use crate::client::server_date::ServerDate;

/// The separator between the packets of a polling payload.
pub(super) const SEPARATOR: char = '\u{1e}';

/// One Engine.IO packet. A binary message is a frame of its own on a WebSocket, and `b` with base64
/// in a payload.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum EnginePacket {
    Open(String),
    Close,
    Ping(String),
    Pong(String),
    Message(String),
    Binary(Bytes),
    /// A message that was larger than the client takes, reduced to what it is about.
    LargeMessage(String),
    /// A binary message that was larger than the client takes.
    LargeBinary,
    Upgrade,
    Noop,
}

impl EnginePacket {
    pub(crate) fn encode(&self) -> String {
        match self {
            Self::Open(handshake) => format!("0{handshake}"),
            Self::Close => "1".to_owned(),
            Self::Ping(probe) => format!("2{probe}"),
            Self::Pong(probe) => format!("3{probe}"),
            Self::Message(text) | Self::LargeMessage(text) => format!("4{text}"),
            Self::Upgrade => "5".to_owned(),
            Self::Noop => "6".to_owned(),
            Self::Binary(bytes) => format!("b{}", STANDARD.encode(bytes)),
            Self::LargeBinary => "b".to_owned(),
        }
    }

    /// Returns the size of a packet with text, in bytes. A binary one is never sent.
    pub(crate) fn size(&self) -> usize {
        match self {
            Self::Open(text)
            | Self::Ping(text)
            | Self::Pong(text)
            | Self::Message(text)
            | Self::LargeMessage(text) => text.len() + 1,
            Self::Binary(bytes) => bytes.len(),
            Self::Close | Self::Upgrade | Self::Noop | Self::LargeBinary => 1,
        }
    }

    pub(crate) fn decode(text: &str) -> Result<Self, DecodeError> {
        let mut chars = text.chars();
        let kind = chars.next().ok_or(DecodeError::Empty)?;
        let rest = chars.as_str();
        Ok(match kind {
            '0' => Self::Open(rest.to_owned()),
            '1' => Self::Close,
            '2' => Self::Ping(rest.to_owned()),
            '3' => Self::Pong(rest.to_owned()),
            '4' => Self::Message(rest.to_owned()),
            '5' => Self::Upgrade,
            '6' => Self::Noop,
            'b' => Self::Binary(STANDARD.decode(rest).map_err(DecodeError::Base64)?.into()),
            other => return Err(DecodeError::UnknownType(other)),
        })
    }
}

/// Encodes packets as the body of one polling request.
pub(crate) fn encode_payload(packets: &[EnginePacket]) -> String {
    let encoded: Vec<String> = packets.iter().map(EnginePacket::encode).collect();
    encoded.join(&SEPARATOR.to_string())
}

/// Decodes the packets of one polling answer.
pub(crate) fn decode_payload(body: &str) -> Result<Vec<EnginePacket>, DecodeError> {
    body.split(SEPARATOR).map(EnginePacket::decode).collect()
}

/// The server's parameters of the connection, from its `open` packet.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Handshake {
    /// Opaque and of any length: a Node server sends 20 characters, socketioxide 16.
    pub(crate) sid: String,
    #[serde(default)]
    pub(crate) upgrades: Vec<String>,
    /// In milliseconds.
    ping_interval: u64,
    /// In milliseconds.
    ping_timeout: u64,
    /// The largest polling request body that the server accepts, in bytes. Most servers accept no
    /// larger WebSocket message either.
    #[serde(default)]
    pub(crate) max_payload: Option<usize>,
    /// The server's clock, from the answer that carried the packet or opened the WebSocket.
    #[serde(skip)]
    pub(crate) date: Option<ServerDate>,
}

impl Handshake {
    pub(crate) fn decode(json: &str) -> Result<Self, DecodeError> {
        serde_json::from_str(json).map_err(DecodeError::Json)
    }

    /// Returns the time for which the server may be silent before the connection counts as lost.
    pub(crate) fn max_silence(&self) -> Duration {
        Duration::from_millis(self.ping_interval.saturating_add(self.ping_timeout))
    }

    pub(crate) fn offers_websocket(&self) -> bool {
        self.upgrades.iter().any(|name| name == "websocket")
    }
}

#[cfg(test)]
pub(super) mod tests {
    use proptest::prelude::*;

    use super::*;

    #[track_caller]
    fn check(text: &str, expected: EnginePacket) {
        assert_eq!(EnginePacket::decode(text).unwrap(), expected);
        assert_eq!(expected.encode(), text);
        if !matches!(expected, EnginePacket::Binary(_)) {
            assert_eq!(expected.size(), text.len());
        }
    }

    #[test]
    fn every_packet_type_has_its_character() {
        check("0{}", EnginePacket::Open("{}".into()));
        check("1", EnginePacket::Close);
        check("2probe", EnginePacket::Ping("probe".into()));
        check("3probe", EnginePacket::Pong("probe".into()));
        check("42[\"a\"]", EnginePacket::Message("2[\"a\"]".into()));
        check("5", EnginePacket::Upgrade);
        check("6", EnginePacket::Noop);
        check(
            "bAQID",
            EnginePacket::Binary(Bytes::from_static(&[1, 2, 3])),
        );
    }

    #[test]
    fn a_handshake_of_a_node_server_is_read() {
        let json = r#"{"sid":"lv_VI97HAXpY6yYWAAAB","upgrades":["websocket"],
            "pingInterval":25000,"pingTimeout":20000,"maxPayload":1000000}"#;
        let handshake = Handshake::decode(json).unwrap();
        assert_eq!(handshake.sid.len(), 20);
        assert_eq!(handshake.max_silence(), Duration::from_secs(45));
        assert!(handshake.offers_websocket());
    }

    #[test]
    fn deadlines_beyond_the_clock_do_not_overflow() {
        let json = format!(
            r#"{{"sid":"a","pingInterval":{0},"pingTimeout":{0}}}"#,
            u64::MAX
        );
        assert_eq!(
            Handshake::decode(&json).unwrap().max_silence(),
            Duration::from_millis(u64::MAX)
        );
    }

    pub(in crate::client::packet) fn packet() -> impl Strategy<Value = EnginePacket> {
        let text = "[^\u{1e}]*";
        prop_oneof![
            text.prop_map(EnginePacket::Open),
            Just(EnginePacket::Close),
            text.prop_map(EnginePacket::Ping),
            text.prop_map(EnginePacket::Pong),
            text.prop_map(EnginePacket::Message),
            proptest::collection::vec(any::<u8>(), 0..64)
                .prop_map(|b| EnginePacket::Binary(b.into())),
            Just(EnginePacket::Upgrade),
            Just(EnginePacket::Noop),
        ]
    }

    proptest! {
        #[test]
        fn a_payload_is_read_as_it_was_written(
            packets in proptest::collection::vec(packet(), 1..8),
        ) {
            prop_assert_eq!(decode_payload(&encode_payload(&packets)).unwrap(), packets);
        }

        #[test]
        fn no_input_panics(text in any::<String>()) {
            let _ = decode_payload(&text);
            let _ = Handshake::decode(&text);
        }
    }
}

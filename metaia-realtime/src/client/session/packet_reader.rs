//! Reads packets: assembles events with their attachments, and recognises acknowledgements.

use bytes::Bytes;
use serde_json::Value;

use crate::client::packet::{Body, DecodeError, EnginePacket, SocketPacket};

/// The meaning of a packet for the session.
#[derive(Debug, PartialEq)]
pub(crate) enum Meaning {
    Nothing,
    /// A ping, which a pong with this text must answer.
    Ping(String),
    /// The server ends the session.
    Disconnect,
    /// The server closes the Engine.IO session.
    Close,
    Event {
        id: Option<u64>,
        name: String,
        args: Vec<Value>,
        attachments: Vec<Bytes>,
    },
    Ack {
        id: u64,
        args: Vec<Value>,
    },
}

/// Reads packets one after the other. Keeps an event until its attachments are complete.
#[derive(Debug, Default)]
pub(crate) struct PacketReader {
    incomplete: Option<(Body, Vec<Bytes>)>,
}

impl PacketReader {
    pub(crate) fn read(&mut self, packet: EnginePacket) -> Result<Meaning, DecodeError> {
        match packet {
            EnginePacket::Ping(probe) => Ok(Meaning::Ping(probe)),
            EnginePacket::Close => Ok(Meaning::Close),
            EnginePacket::Message(text) => self.message(&text),
            EnginePacket::Binary(bytes) => self.attachment(bytes),
            EnginePacket::Open(_)
            | EnginePacket::Pong(_)
            | EnginePacket::Upgrade
            | EnginePacket::Noop => Ok(Meaning::Nothing),
        }
    }

    fn message(&mut self, text: &str) -> Result<Meaning, DecodeError> {
        if self.incomplete.is_some() {
            return Err(DecodeError::Attachments);
        }
        let SocketPacket { namespace, body } = SocketPacket::decode(text)?;
        if attachments(&body) > 0 {
            self.incomplete = Some((body, Vec::new()));
            return Ok(Meaning::Nothing);
        }
        // The client never joins another namespace.
        if namespace != "/" {
            return Ok(Meaning::Nothing);
        }
        Ok(meaning(body, Vec::new()))
    }

    fn attachment(&mut self, bytes: Bytes) -> Result<Meaning, DecodeError> {
        let (body, mut received) = self.incomplete.take().ok_or(DecodeError::Attachments)?;
        received.push(bytes);
        if received.len() < attachments(&body) {
            self.incomplete = Some((body, received));
            return Ok(Meaning::Nothing);
        }
        Ok(meaning(body, received))
    }
}

fn attachments(body: &Body) -> usize {
    match body {
        Body::Event { attachments, .. } | Body::Ack { attachments, .. } => *attachments,
        Body::Connect(_) | Body::Disconnect | Body::ConnectError(_) => 0,
    }
}

fn meaning(body: Body, attachments: Vec<Bytes>) -> Meaning {
    match body {
        Body::Event { id, name, args, .. } => Meaning::Event {
            id,
            name,
            args,
            attachments,
        },
        Body::Ack { id, args, .. } => Meaning::Ack { id, args },
        Body::Disconnect => Meaning::Disconnect,
        // A second answer to the one CONNECT changes nothing.
        Body::Connect(_) | Body::ConnectError(_) => Meaning::Nothing,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn message(text: &str) -> EnginePacket {
        EnginePacket::Message(text.to_owned())
    }

    #[test]
    fn an_event_waits_for_its_attachments() {
        let mut packets = PacketReader::default();
        let placeholder = json!({"_placeholder": true, "num": 0});
        assert_eq!(
            packets
                .read(message(&format!(r#"51-["photo",{placeholder}]"#)))
                .unwrap(),
            Meaning::Nothing
        );
        let bytes = Bytes::from_static(b"jpeg");
        let event = Meaning::Event {
            id: None,
            name: "photo".into(),
            args: vec![placeholder],
            attachments: vec![bytes.clone()],
        };
        assert_eq!(packets.read(EnginePacket::Binary(bytes)).unwrap(), event);
    }

    #[test]
    fn attachments_that_belong_to_nothing_are_refused() {
        assert!(
            PacketReader::default()
                .read(EnginePacket::Binary(Bytes::new()))
                .is_err()
        );
        let mut packets = PacketReader::default();
        packets.read(message(r#"51-["photo"]"#)).unwrap();
        assert!(packets.read(message(r#"2["between"]"#)).is_err());
    }

    #[test]
    fn a_packet_of_another_namespace_is_ignored() {
        assert_eq!(
            PacketReader::default()
                .read(message(r#"2/admin,["a"]"#))
                .unwrap(),
            Meaning::Nothing
        );
    }

    proptest! {
        #[test]
        fn no_sequence_of_messages_panics(
            texts in proptest::collection::vec("[0-6][0-2]?-?[/a,]{0,3}[\\[\\]\"a0]{0,8}", 0..8),
        ) {
            let mut packets = PacketReader::default();
            for text in texts {
                let _ = packets.read(message(&text));
                let _ = packets.read(EnginePacket::Binary(Bytes::new()));
            }
        }
    }
}

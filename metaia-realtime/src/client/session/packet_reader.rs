//! Reads packets: assembles events and acknowledgements with their attachments, and keeps nothing
//! of those that are too large.

use bytes::Bytes;
use serde_json::Value;

use crate::client::{
    acknowledgement::Acknowledgement,
    event::Stamp,
    packet::{
        Body, DecodeError, EnginePacket, SkimmedBody, SkimmedEvent, SkimmedPacket, SocketPacket,
    },
};

/// The beginning of the names of this system's own events. They are read whatever the limit is:
/// the client needs them, and no server of this project sends large ones.
const CONTROL: &str = "rt:";

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
        answer: Acknowledgement,
    },
    /// An event that is larger than the limit.
    LargeEvent(SkimmedEvent),
    /// The acknowledgement with this id is larger than the limit.
    LargeAck(u64),
}

/// Reads packets one after the other. Keeps a packet until its attachments are complete.
#[derive(Debug)]
pub(crate) struct PacketReader {
    /// The largest packet, and the largest attachment, that is taken, in bytes.
    max_message: usize,
    incomplete: Option<IncompletePacket>,
}

#[derive(Debug)]
struct IncompletePacket {
    meaning: Meaning,
    /// The number of attachments that are missing.
    missing: usize,
}

impl PacketReader {
    pub(crate) fn new(max_message: usize) -> Self {
        Self {
            max_message,
            incomplete: None,
        }
    }

    pub(crate) fn read(&mut self, packet: EnginePacket) -> Result<Meaning, DecodeError> {
        match packet {
            EnginePacket::Ping(probe) => Ok(Meaning::Ping(probe)),
            EnginePacket::Close => Ok(Meaning::Close),
            EnginePacket::Message(text) => self.message(&text),
            EnginePacket::Binary(bytes) => self.attachment(Some(bytes)),
            EnginePacket::LargeMessage(text) => self.large_message(&text),
            EnginePacket::LargeBinary => self.attachment(None),
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
        let large = if text.len() > self.max_message {
            skim(text)?
        } else {
            None
        };
        let packet = match large {
            Some(large) => large,
            None => decode(text)?,
        };
        self.complete_or_keep(packet)
    }

    /// Reads a message of which the transport has kept only the subject. An event of the system is
    /// never so large.
    fn large_message(&mut self, text: &str) -> Result<Meaning, DecodeError> {
        if self.incomplete.is_some() {
            return Err(DecodeError::Attachments);
        }
        let packet = skim(text)?.ok_or(DecodeError::TooLong(self.max_message))?;
        self.complete_or_keep(packet)
    }

    /// Reads an attachment; `None` if the transport has not kept it.
    fn attachment(&mut self, bytes: Option<Bytes>) -> Result<Meaning, DecodeError> {
        let mut packet = self.incomplete.take().ok_or(DecodeError::Attachments)?;
        match bytes.filter(|bytes| bytes.len() <= self.max_message) {
            Some(bytes) => packet.meaning.attach(bytes),
            None => packet.meaning = packet.meaning.into_large(),
        }
        packet.missing -= 1;
        self.complete_or_keep(packet)
    }

    fn complete_or_keep(&mut self, packet: IncompletePacket) -> Result<Meaning, DecodeError> {
        if packet.missing == 0 {
            return Ok(packet.meaning);
        }
        self.incomplete = Some(packet);
        Ok(Meaning::Nothing)
    }
}

fn decode(text: &str) -> Result<IncompletePacket, DecodeError> {
    let SocketPacket { namespace, body } = SocketPacket::decode(text)?;
    let missing = match &body {
        Body::Event { attachments, .. } | Body::Ack { attachments, .. } => *attachments,
        Body::Connect(_) | Body::Disconnect | Body::ConnectError(_) => 0,
    };
    Ok(IncompletePacket {
        meaning: in_main(&namespace, meaning(body)),
        missing,
    })
}

/// Reads what a packet beyond the limit is about. Returns `None` for a packet that is taken all the
/// same.
fn skim(text: &str) -> Result<Option<IncompletePacket>, DecodeError> {
    let packet = SkimmedPacket::read(text)?;
    let meaning = match packet.body {
        SkimmedBody::Event(event) if event.name.starts_with(CONTROL) => return Ok(None),
        SkimmedBody::Event(event) => Meaning::LargeEvent(event),
        SkimmedBody::Ack(id) => Meaning::LargeAck(id),
        SkimmedBody::Other => return Ok(None),
    };
    Ok(Some(IncompletePacket {
        meaning: in_main(&packet.namespace, meaning),
        missing: packet.attachments,
    }))
}

/// Returns the meaning of a packet in this namespace. The client never joins another one than `/`.
fn in_main(namespace: &str, meaning: Meaning) -> Meaning {
    if namespace == "/" {
        meaning
    } else {
        Meaning::Nothing
    }
}

fn meaning(body: Body) -> Meaning {
    match body {
        Body::Event { id, name, args, .. } => Meaning::Event {
            id,
            name,
            args,
            attachments: Vec::new(),
        },
        Body::Ack { id, args, .. } => Meaning::Ack {
            id,
            answer: Acknowledgement {
                args,
                attachments: Vec::new(),
            },
        },
        Body::Disconnect => Meaning::Disconnect,
        // A second answer to the one CONNECT changes nothing.
        Body::Connect(_) | Body::ConnectError(_) => Meaning::Nothing,
    }
}

impl Meaning {
    fn attach(&mut self, bytes: Bytes) {
        match self {
            Self::Event { attachments, .. } => attachments.push(bytes),
            Self::Ack { answer, .. } => answer.attachments.push(bytes),
            _ => {}
        }
    }

    /// Returns the meaning of the same packet with an attachment beyond the limit.
    fn into_large(self) -> Self {
        match self {
            Self::Event { name, args, .. } => {
                let stamp = args.first().map(Stamp::from_data).unwrap_or_default();
                Self::LargeEvent(SkimmedEvent {
                    name,
                    id: stamp.id,
                    at: stamp.at,
                })
            }
            Self::Ack { id, .. } => Self::LargeAck(id),
            other => other,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    const LIMIT: usize = 100;

    fn reader() -> PacketReader {
        PacketReader::new(LIMIT)
    }

    fn message(text: &str) -> EnginePacket {
        EnginePacket::Message(text.to_owned())
    }

    #[test]
    fn an_event_waits_for_its_attachments() {
        let mut packets = reader();
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
    fn an_acknowledgement_keeps_its_attachments() {
        let mut packets = reader();
        let placeholder = json!({"_placeholder": true, "num": 0});
        let text = format!("62-7[{placeholder}]");
        assert_eq!(packets.read(message(&text)).unwrap(), Meaning::Nothing);
        let binary = |bytes: &'static [u8]| EnginePacket::Binary(Bytes::from_static(bytes));
        assert_eq!(packets.read(binary(b"one")).unwrap(), Meaning::Nothing);
        let answer = Acknowledgement {
            args: vec![placeholder],
            attachments: vec![Bytes::from_static(b"one"), Bytes::from_static(b"two")],
        };
        let ack = Meaning::Ack { id: 7, answer };
        assert_eq!(packets.read(binary(b"two")).unwrap(), ack);
    }

    /// Checks the last meaning of a packet and its attachments; those before it mean nothing.
    #[track_caller]
    fn check(text: &str, attachments: &[usize], expected: Meaning) {
        let mut packets = reader();
        let mut meaning = packets.read(message(text)).unwrap();
        for length in attachments {
            assert_eq!(meaning, Meaning::Nothing);
            let bytes = Bytes::from(vec![0; *length]);
            meaning = packets.read(EnginePacket::Binary(bytes)).unwrap();
        }
        assert_eq!(meaning, expected);
        let next = packets.read(message(r#"2["next"]"#)).unwrap();
        assert!(matches!(next, Meaning::Event { .. }), "{next:?}");
    }

    fn large(at: Option<&str>) -> Meaning {
        Meaning::LargeEvent(SkimmedEvent {
            name: "a".to_owned(),
            id: None,
            at: at.map(str::to_owned),
        })
    }

    #[test]
    fn a_packet_beyond_the_limit_is_not_kept() {
        let x = "x".repeat(LIMIT);
        let stamped = format!(r#"["a",{{"x":"{x}","_rt":{{"at":"p.1"}}}}]"#);
        check(&format!("2{stamped}"), &[], large(Some("p.1")));
        check(&format!("52-{stamped}"), &[1, 2], large(Some("p.1")));
        check(&format!(r#"2["a","{x}"]"#), &[], large(None));
        check(&format!("2/admin,{stamped}"), &[], Meaning::Nothing);
        check(&format!(r#"37["{x}"]"#), &[], Meaning::LargeAck(7));
    }

    #[test]
    fn an_attachment_beyond_the_limit_is_not_kept() {
        let stamped = r#"["a",{"_rt":{"at":"p.1"}}]"#;
        check(
            &format!("52-{stamped}"),
            &[1, LIMIT + 1],
            large(Some("p.1")),
        );
        check(
            &format!("52-{stamped}"),
            &[LIMIT + 1, 1],
            large(Some("p.1")),
        );
        check("61-7[]", &[LIMIT + 1], Meaning::LargeAck(7));
        check("51-/admin,[\"a\"]", &[LIMIT + 1], Meaning::Nothing);
    }

    #[test]
    fn a_packet_that_the_transport_has_not_kept_is_passed_over() {
        let mut packets = reader();
        let mut read = |packet| packets.read(packet).unwrap();
        let event = || EnginePacket::LargeMessage(r#"2["a",{"_rt":{"at":"p.1"}}]"#.to_owned());
        assert_eq!(read(event()), large(Some("p.1")));
        assert_eq!(read(message(r#"61-7[]"#)), Meaning::Nothing);
        assert_eq!(read(EnginePacket::LargeBinary), Meaning::LargeAck(7));
        assert_eq!(read(message(r#"51-["a"]"#)), Meaning::Nothing);
        assert!(packets.read(event()).is_err(), "an attachment is missing");
        let system = EnginePacket::LargeMessage(r#"2["rt:ready"]"#.to_owned());
        assert!(reader().read(system).is_err());
    }

    #[test]
    fn events_of_the_system_have_no_limit() {
        let text = format!(r#"2["rt:ready",{{"rooms":["{}"]}}]"#, "x".repeat(LIMIT));
        let ready = reader().read(message(&text)).unwrap();
        assert!(matches!(ready, Meaning::Event { name, .. } if name == "rt:ready"));
    }

    #[test]
    fn attachments_that_belong_to_nothing_are_refused() {
        assert!(reader().read(EnginePacket::Binary(Bytes::new())).is_err());
        let mut packets = reader();
        packets.read(message(r#"51-["photo"]"#)).unwrap();
        assert!(packets.read(message(r#"2["between"]"#)).is_err());
    }

    #[test]
    fn a_packet_of_another_namespace_is_ignored() {
        assert_eq!(
            reader().read(message(r#"2/admin,["a"]"#)).unwrap(),
            Meaning::Nothing
        );
    }

    proptest! {
        #[test]
        fn no_sequence_of_messages_panics(
            texts in proptest::collection::vec("[0-6][0-2]?-?[/a,]{0,3}[\\[\\]\"a0]{0,8}", 0..8),
        ) {
            let mut packets = reader();
            for text in texts {
                let _ = packets.read(message(&text));
                let _ = packets.read(EnginePacket::Binary(Bytes::new()));
            }
        }
    }
}

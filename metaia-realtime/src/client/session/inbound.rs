//! From packets to what happens: which events there are, which questions are answered, which
//! attachments belong where.

use bytes::Bytes;
use serde_json::Value;

use super::super::packet::{Body, DecodeError, EnginePacket, SocketPacket};

/// What a packet means for the session.
#[derive(Debug, PartialEq)]
pub(crate) enum Meaning {
    Nothing,
    Pong(String),
    /// The server leaves the namespace.
    Disconnect,
    /// The server closes the session.
    Close,
    Event {
        id: Option<u64>,
        name: String,
        args: Vec<Value>,
        attachments: Vec<Bytes>,
    },
    Answer {
        id: u64,
        args: Vec<Value>,
    },
}

/// Reads packets one after the other, keeping an event until its attachments are complete.
#[derive(Debug, Default)]
pub(crate) struct Inbound {
    incomplete: Option<(Body, Vec<Bytes>)>,
}

impl Inbound {
    pub(crate) fn read(&mut self, packet: EnginePacket) -> Result<Meaning, DecodeError> {
        match packet {
            EnginePacket::Ping(probe) => Ok(Meaning::Pong(probe)),
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
        // Another namespace was never asked for.
        Ok(if namespace == "/" {
            meaning(body, Vec::new())
        } else {
            Meaning::Nothing
        })
    }

    fn attachment(&mut self, bytes: Bytes) -> Result<Meaning, DecodeError> {
        let (body, mut held) = self.incomplete.take().ok_or(DecodeError::Attachments)?;
        held.push(bytes);
        if held.len() < attachments(&body) {
            self.incomplete = Some((body, held));
            return Ok(Meaning::Nothing);
        }
        Ok(meaning(body, held))
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
        Body::Ack { id, args, .. } => Meaning::Answer { id, args },
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
        let mut inbound = Inbound::default();
        let placeholder = json!({"_placeholder": true, "num": 0});
        assert_eq!(
            inbound
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
        assert_eq!(inbound.read(EnginePacket::Binary(bytes)).unwrap(), event);
    }

    #[test]
    fn attachments_that_belong_to_nothing_are_refused() {
        assert!(
            Inbound::default()
                .read(EnginePacket::Binary(Bytes::new()))
                .is_err()
        );
        let mut inbound = Inbound::default();
        inbound.read(message(r#"51-["photo"]"#)).unwrap();
        assert!(inbound.read(message(r#"2["between"]"#)).is_err());
    }

    #[test]
    fn another_namespace_is_nobodys() {
        assert_eq!(
            Inbound::default()
                .read(message(r#"2/admin,["a"]"#))
                .unwrap(),
            Meaning::Nothing
        );
    }

    proptest! {
        #[test]
        fn no_sequence_of_messages_panics(texts in proptest::collection::vec("[0-6][0-2]?-?[/a,]{0,3}[\\[\\]\"a0]{0,8}", 0..8)) {
            let mut inbound = Inbound::default();
            for text in texts {
                let _ = inbound.read(message(&text));
                let _ = inbound.read(EnginePacket::Binary(Bytes::new()));
            }
        }
    }
}

//! Socket.IO v5: `<type>[<attachments>-][<namespace>,][<ack id>][JSON]`.

use serde_json::Value;

use super::DecodeError;

/// The most binary attachments of one packet. More end the connection.
const MAX_ATTACHMENTS: usize = 16;

/// One Socket.IO packet.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct SocketPacket {
    /// The main namespace is `/`, which is omitted on the wire.
    pub(crate) namespace: String,
    pub(crate) body: Body,
}

/// The content of a packet. `attachments` is the number of binary frames that follow it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Body {
    Connect(Option<Value>),
    Disconnect,
    Event {
        id: Option<u64>,
        name: String,
        args: Vec<Value>,
        attachments: usize,
    },
    Ack {
        id: u64,
        args: Vec<Value>,
        attachments: usize,
    },
    ConnectError(Value),
}

impl SocketPacket {
    /// Returns a packet in the main namespace.
    pub(crate) fn main(body: Body) -> Self {
        Self {
            namespace: "/".to_owned(),
            body,
        }
    }

    pub(crate) fn encode(&self) -> String {
        let namespace = match self.namespace.as_str() {
            "/" => String::new(),
            other => format!("{other},"),
        };
        match &self.body {
            Body::Connect(None) => format!("0{namespace}"),
            Body::Connect(Some(auth)) => format!("0{namespace}{auth}"),
            Body::Disconnect => format!("1{namespace}"),
            Body::Event {
                id,
                name,
                args,
                attachments,
            } => {
                let id = id.map(|id| id.to_string()).unwrap_or_default();
                format!(
                    "{}{namespace}{id}{}",
                    packet_type(['2', '5'], *attachments),
                    event_json(name, args)
                )
            }
            Body::Ack {
                id,
                args,
                attachments,
            } => {
                format!(
                    "{}{namespace}{id}{}",
                    packet_type(['3', '6'], *attachments),
                    json(args)
                )
            }
            Body::ConnectError(error) => format!("4{namespace}{error}"),
        }
    }

    pub(crate) fn decode(text: &str) -> Result<Self, DecodeError> {
        let PacketHead {
            kind,
            attachments,
            namespace,
            rest,
        } = PacketHead::read(text)?;
        let body = match kind {
            '0' => Body::Connect(optional_json(rest)?),
            '1' => Body::Disconnect,
            '2' | '5' => decode_event(rest, attachments)?,
            '3' | '6' => decode_ack(rest, attachments)?,
            '4' => Body::ConnectError(optional_json(rest)?.unwrap_or(Value::Null)),
            other => return Err(DecodeError::UnknownType(other)),
        };
        Ok(Self {
            namespace: namespace.to_owned(),
            body,
        })
    }
}

/// The parts of a packet before its acknowledgement id and its JSON.
pub(super) struct PacketHead<'a> {
    pub(super) kind: char,
    pub(super) attachments: usize,
    pub(super) namespace: &'a str,
    pub(super) rest: &'a str,
}

impl<'a> PacketHead<'a> {
    pub(super) fn read(text: &'a str) -> Result<Self, DecodeError> {
        let mut chars = text.chars();
        let kind = chars.next().ok_or(DecodeError::Empty)?;
        let (attachments, rest) = match kind {
            '5' | '6' => split_attachments(chars.as_str())?,
            _ => (0, chars.as_str()),
        };
        let (namespace, rest) = split_namespace(rest);
        Ok(Self {
            kind,
            attachments,
            namespace,
            rest,
        })
    }
}

/// Returns the plain type for a packet without attachments, otherwise the binary type with their
/// number.
fn packet_type([plain, binary]: [char; 2], attachments: usize) -> String {
    match attachments {
        0 => plain.to_string(),
        n => format!("{binary}{n}-"),
    }
}

fn json(args: &[Value]) -> String {
    let args: Vec<String> = args.iter().map(Value::to_string).collect();
    format!("[{}]", args.join(","))
}

fn event_json(name: &str, args: &[Value]) -> String {
    let mut out = format!("[{}", Value::from(name));
    for arg in args {
        out.push(',');
        out.push_str(&arg.to_string());
    }
    out.push(']');
    out
}

fn split_attachments(text: &str) -> Result<(usize, &str), DecodeError> {
    let (count, rest) = text.split_once('-').ok_or(DecodeError::Attachments)?;
    let count: usize = count.parse().map_err(|_| DecodeError::Attachments)?;
    if count > MAX_ATTACHMENTS {
        return Err(DecodeError::Attachments);
    }
    Ok((count, rest))
}

fn split_namespace(text: &str) -> (&str, &str) {
    if !text.starts_with('/') {
        return ("/", text);
    }
    text.split_once(',').unwrap_or((text, ""))
}

pub(super) fn split_id(text: &str) -> Result<(Option<u64>, &str), DecodeError> {
    let digits = text.len() - text.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    if digits == 0 {
        return Ok((None, text));
    }
    let id = text[..digits].parse().map_err(|_| DecodeError::AckId)?;
    Ok((Some(id), &text[digits..]))
}

fn optional_json(text: &str) -> Result<Option<Value>, DecodeError> {
    if text.is_empty() {
        return Ok(None);
    }
    serde_json::from_str(text)
        .map(Some)
        .map_err(DecodeError::Json)
}

fn decode_event(text: &str, attachments: usize) -> Result<Body, DecodeError> {
    let (id, rest) = split_id(text)?;
    let mut args: Vec<Value> = serde_json::from_str(rest).map_err(DecodeError::Json)?;
    if args.is_empty() {
        return Err(DecodeError::Shape);
    }
    let Value::String(name) = args.remove(0) else {
        return Err(DecodeError::Shape);
    };
    Ok(Body::Event {
        id,
        name,
        args,
        attachments,
    })
}

fn decode_ack(text: &str, attachments: usize) -> Result<Body, DecodeError> {
    let (id, rest) = split_id(text)?;
    let id = id.ok_or(DecodeError::AckId)?;
    let args = optional_json(rest)?.unwrap_or_else(|| Value::Array(Vec::new()));
    let Value::Array(args) = args else {
        return Err(DecodeError::Shape);
    };
    Ok(Body::Ack {
        id,
        args,
        attachments,
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    #[track_caller]
    fn check(text: &str, expected: Body) {
        let expected = SocketPacket::main(expected);
        assert_eq!(SocketPacket::decode(text).unwrap(), expected);
        assert_eq!(expected.encode(), text);
    }

    fn event(id: Option<u64>, name: &str, args: &[Value], attachments: usize) -> Body {
        Body::Event {
            id,
            name: name.into(),
            args: args.into(),
            attachments,
        }
    }

    #[test]
    fn packets_look_as_the_protocol_says() {
        check("0", Body::Connect(None));
        check(
            r#"0{"token":"t"}"#,
            Body::Connect(Some(json!({"token": "t"}))),
        );
        check("1", Body::Disconnect);
        check(r#"2["ready"]"#, event(None, "ready", &[], 0));
        check(
            r#"212["join","o1"]"#,
            event(Some(12), "join", &[json!("o1")], 0),
        );
        check(
            r#"312[{"status":"ok"}]"#,
            Body::Ack {
                id: 12,
                args: vec![json!({"status": "ok"})],
                attachments: 0,
            },
        );
        check(
            r#"4{"message":"unauthorized"}"#,
            Body::ConnectError(json!({"message": "unauthorized"})),
        );
        let placeholder = json!({"_placeholder": true, "num": 0});
        check(
            r#"51-["photo",{"_placeholder":true,"num":0}]"#,
            event(None, "photo", &[placeholder], 1),
        );
    }

    #[test]
    fn the_namespace_of_a_packet_is_read() {
        let packet = SocketPacket::decode(r#"2/admin,7["a"]"#).unwrap();
        assert_eq!(packet.namespace, "/admin");
        assert_eq!(packet.body, event(Some(7), "a", &[], 0));
    }

    #[track_caller]
    fn refused(text: &str) {
        assert!(SocketPacket::decode(text).is_err(), "{text:?} was accepted");
    }

    #[test]
    fn text_that_is_not_a_packet_is_refused() {
        for text in [
            "",
            "9",
            "2",
            "2{}",
            "2[]",
            "2[1]",
            "3[]",
            "3a",
            "4{",
            "5[\"a\"]",
            "517-[\"a\"]",
            "299999999999999999999[\"a\"]",
        ] {
            refused(text);
        }
    }

    fn value() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            any::<String>().prop_map(Value::from),
        ];
        leaf.prop_recursive(3, 16, 4, |inner| {
            prop_oneof![
                proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                proptest::collection::hash_map(any::<String>(), inner, 0..4)
                    .prop_map(|map| Value::Object(map.into_iter().collect())),
            ]
        })
    }

    fn body() -> impl Strategy<Value = Body> {
        let args = || proptest::collection::vec(value(), 0..3);
        prop_oneof![
            proptest::option::of(value()).prop_map(Body::Connect),
            Just(Body::Disconnect),
            (
                any::<Option<u64>>(),
                any::<String>(),
                args(),
                0..=MAX_ATTACHMENTS
            )
                .prop_map(|(id, name, args, attachments)| Body::Event {
                    id,
                    name,
                    args,
                    attachments
                }),
            (any::<u64>(), args(), 0..=MAX_ATTACHMENTS).prop_map(|(id, args, attachments)| {
                Body::Ack {
                    id,
                    args,
                    attachments,
                }
            }),
            value().prop_map(Body::ConnectError),
        ]
    }

    proptest! {
        #[test]
        fn a_packet_is_read_as_it_was_written(body in body(), namespace in "/[a-z]{0,8}") {
            let packet = SocketPacket { namespace, body };
            prop_assert_eq!(SocketPacket::decode(&packet.encode()).unwrap(), packet);
        }

        #[test]
        fn no_input_panics(text in any::<String>()) {
            let _ = SocketPacket::decode(&text);
        }

        #[test]
        fn nothing_that_looks_like_a_packet_panics(
            text in r#"[0-6][0-9]{0,3}-?(/[a-z,]{0,4})?[0-9]{0,24}[\[\]{}",a0-9é]{0,12}"#,
        ) {
            let _ = SocketPacket::decode(&text);
        }
    }
}

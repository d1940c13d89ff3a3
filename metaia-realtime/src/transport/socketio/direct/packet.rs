//! The packets of a client, as a session needs them. A pure kernel.

use crate::{
    session::Inbound,
    transport::socketio::inbound_packet::{InboundPacket, PacketKind},
};

/// A packet of a client.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum ClientPacket {
    /// CONNECT to the namespace `/`, with `auth` as JSON. Empty if there is none.
    Connect(String),
    /// CONNECT to another namespace.
    ConnectElsewhere(String),
    /// DISCONNECT from the namespace `/`.
    Leave,
    Event(InboundEvent),
    Pong,
}

/// An event, as it arrived.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct InboundEvent {
    /// `["name", argument…]`.
    pub(super) json: String,
    pub(super) ack: Option<i64>,
}

impl From<InboundEvent> for Inbound {
    fn from(event: InboundEvent) -> Self {
        let InboundEvent { json, ack } = event;
        Self { json, ack }
    }
}

/// The reason to close a connection: a packet that a client must not send.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum BadPacket {
    /// The client closes the Engine.IO session.
    Close,
    Forbidden,
}

impl ClientPacket {
    /// Reads an Engine.IO packet. Returns `None` for one that means nothing: an attachment, an ack
    /// of which the server asks none, a NOOP.
    ///
    /// # Errors
    /// Returns why the connection must be closed.
    pub(super) fn read(text: &str) -> Result<Option<Self>, BadPacket> {
        let Some(packet) = InboundPacket::read(text) else {
            return Ok(None);
        };
        match packet.kind {
            PacketKind::Connect => {
                let auth = &packet.text[2..];
                let auth = auth.strip_prefix('/').unwrap_or(auth);
                let auth = auth.strip_prefix(',').unwrap_or(auth);
                Ok(Some(Self::Connect(auth.to_owned())))
            }
            PacketKind::ConnectElsewhere => {
                let name = text[2..].split([',', '?']).next().unwrap_or_default();
                Ok(Some(Self::ConnectElsewhere(name.to_owned())))
            }
            PacketKind::Leave => Ok(Some(Self::Leave)),
            PacketKind::Event => Ok(Some(Self::Event(read_event(&packet.text[2..])))),
            PacketKind::Pong => Ok(Some(Self::Pong)),
            PacketKind::Other => read_other(text),
        }
    }
}

/// Reads an event behind its type: the namespace, which may be written, the id under which the
/// client wants an answer, if it does, and the payload.
fn read_event(text: &str) -> InboundEvent {
    let text = text.strip_prefix("/,").unwrap_or(text);
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (ack, json) = text.split_at(digits);
    InboundEvent {
        json: json.to_owned(),
        ack: ack.parse().ok(),
    }
}

fn read_other(text: &str) -> Result<Option<ClientPacket>, BadPacket> {
    match text.as_bytes() {
        // Upgrade and NOOP say nothing over a WebSocket.
        b"5" | b"6" => Ok(None),
        [b'1', ..] => Err(BadPacket::Close),
        _ => Err(BadPacket::Forbidden),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[track_caller]
    fn check(text: &str, expected: Result<Option<ClientPacket>, BadPacket>) {
        assert_eq!(ClientPacket::read(text), expected, "{text}");
    }

    fn event(json: &str, ack: Option<i64>) -> Result<Option<ClientPacket>, BadPacket> {
        let json = json.to_owned();
        Ok(Some(ClientPacket::Event(InboundEvent { json, ack })))
    }

    #[test]
    fn packets_of_the_namespace_are_read() {
        let connect = |auth: &str| Ok(Some(ClientPacket::Connect(auth.to_owned())));
        check("40", connect(""));
        check("40/,", connect(""));
        check(r#"40{"token":"t"}"#, connect(r#"{"token":"t"}"#));
        check(r#"40/,{"token":"t"}"#, connect(r#"{"token":"t"}"#));
        check("41", Ok(Some(ClientPacket::Leave)));
        check("41/,", Ok(Some(ClientPacket::Leave)));
        check(r#"42["a",1]"#, event(r#"["a",1]"#, None));
        check(r#"42/,7["a",1]"#, event(r#"["a",1]"#, Some(7)));
        check(r#"427["a"]"#, event(r#"["a"]"#, Some(7)));
        check(r#"42"a""#, event(r#"["",null]"#, None));
        check("3", Ok(Some(ClientPacket::Pong)));
    }

    #[test]
    fn packets_that_mean_nothing_are_dropped() {
        for text in ["bAAAA", "43[1]", "461-1[1]", "5", "6"] {
            check(text, Ok(None));
        }
    }

    #[test]
    fn other_namespaces_are_named() {
        let elsewhere = |name: &str| Ok(Some(ClientPacket::ConnectElsewhere(name.to_owned())));
        check("40/admin", elsewhere("/admin"));
        check(r#"40/admin,{"a":1}"#, elsewhere("/admin"));
        check("40/admin?x=1,", elsewhere("/admin"));
    }

    #[test]
    fn what_a_client_must_not_send_closes_the_connection() {
        check("1", Err(BadPacket::Close));
        for text in [
            "",
            "2",
            "2probe",
            "4",
            "44{}",
            "47",
            "7",
            "42/admin,[]",
            "41/admin,",
            "x",
        ] {
            check(text, Err(BadPacket::Forbidden));
        }
    }

    /// The arguments of an event as JSON.
    fn arguments() -> impl Strategy<Value = String> {
        let argument = prop_oneof![
            any::<i32>().prop_map(|number| number.to_string()),
            "[ -~äß🎉]{0,20}".prop_map(|text| serde_json::Value::from(text).to_string()),
            Just(r#"{"a":[1,"x",null]}"#.to_owned()),
        ];
        proptest::collection::vec(argument, 0..4).prop_map(|arguments| {
            let mut json = String::new();
            for argument in arguments {
                json.push(',');
                json.push_str(&argument);
            }
            json
        })
    }

    proptest! {
        #[test]
        fn any_text_can_be_read(
            text in "[0-7b]{0,3}(/[,a-z]{0,3})?[0-9]{0,25}(\\PC|[\\[\\]\",]){0,30}"
        ) {
            ClientPacket::read(&text).ok();
        }

        #[test]
        fn any_characters_can_be_read(text: String) {
            ClientPacket::read(&text).ok();
        }

        /// As the engine reads them after the packets of polling clients were rewritten.
        #[test]
        fn events_keep_their_meaning(
            is_root_written: bool,
            ack in proptest::option::of(0i64..),
            name in "[a-z_:üß]{1,20}",
            arguments in arguments(),
        ) {
            let root = if is_root_written { "/," } else { "" };
            let id = ack.map(|id| id.to_string()).unwrap_or_default();
            let json = format!("[\"{name}\"{arguments}]");
            let read = ClientPacket::read(&format!("42{root}{id}{json}"));
            prop_assert_eq!(read, event(&json, ack));
        }

        #[test]
        fn the_auth_of_a_connect_is_what_follows_the_namespace(
            is_root_written: bool,
            token in "[ -~]{0,30}",
        ) {
            let root = if is_root_written { "/," } else { "" };
            let auth = serde_json::json!({ "token": token }).to_string();
            let read = ClientPacket::read(&format!("40{root}{auth}"));
            prop_assert_eq!(read, Ok(Some(ClientPacket::Connect(auth))));
        }
    }

    #[test]
    fn an_id_that_is_no_number_of_64_bits_counts_as_absent() {
        check(r#"4299999999999999999999["a"]"#, event(r#"["a"]"#, None));
        let max = i64::MAX;
        check(&format!(r#"42{max}["a"]"#), event(r#"["a"]"#, Some(max)));
        check(r#"42007["a"]"#, event(r#"["a"]"#, Some(7)));
        check(r#"427 ["a"]"#, event(r#"["a"]"#, Some(7)));
    }
}

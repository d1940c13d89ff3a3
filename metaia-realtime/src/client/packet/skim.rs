//! Reads what a packet is about without keeping its content: for packets that are too large.

use std::fmt;

use serde::{
    Deserialize, Deserializer,
    de::{Error as _, IgnoredAny, SeqAccess, Visitor},
};
use serde_json::value::RawValue;

use super::{
    DecodeError,
    socket::{PacketHead, split_id},
};

/// A packet without its content. `attachments` is the number of binary frames that follow it.
#[derive(Debug, PartialEq)]
pub(crate) struct SkimmedPacket {
    pub(crate) namespace: String,
    pub(crate) attachments: usize,
    pub(crate) body: SkimmedBody,
}

/// The subject of a packet.
#[derive(Debug, PartialEq)]
pub(crate) enum SkimmedBody {
    Event(SkimmedEvent),
    /// The acknowledgement with this id.
    Ack(u64),
    /// A packet that is neither.
    Other,
}

/// The name of an event, and the members `id` and `at` of its `_rt`.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct SkimmedEvent {
    pub(crate) name: String,
    pub(crate) id: Option<String>,
    pub(crate) at: Option<String>,
}

impl SkimmedPacket {
    pub(crate) fn read(text: &str) -> Result<Self, DecodeError> {
        let head = PacketHead::read(text)?;
        let body = match head.kind {
            '2' | '5' => SkimmedBody::Event(skim_event(head.rest)?),
            '3' | '6' => {
                let (id, _) = split_id(head.rest)?;
                SkimmedBody::Ack(id.ok_or(DecodeError::AckId)?)
            }
            _ => SkimmedBody::Other,
        };
        Ok(Self {
            namespace: head.namespace.to_owned(),
            attachments: head.attachments,
            body,
        })
    }
}

fn skim_event(text: &str) -> Result<SkimmedEvent, DecodeError> {
    let (_, json) = split_id(text)?;
    let front: EventFront<'_> = serde_json::from_str(json).map_err(DecodeError::Json)?;
    let stamp = front.data.map(skim_stamp).unwrap_or_default();
    Ok(SkimmedEvent {
        name: front.name,
        id: stamp.id,
        at: stamp.at,
    })
}

#[derive(Deserialize)]
struct StampedData<'a> {
    #[serde(rename = "_rt", borrow)]
    stamp: Option<&'a RawValue>,
}

#[derive(Default, Deserialize)]
struct SkimmedStamp {
    id: Option<String>,
    at: Option<String>,
}

/// Returns the stamp of an event's data. Data of another form, as of other servers, has none.
fn skim_stamp(data: &RawValue) -> SkimmedStamp {
    let stamp = read_object(data).and_then(|data: StampedData<'_>| data.stamp);
    stamp.and_then(read_object).unwrap_or_default()
}

/// Returns `None` for JSON of another form. serde would read the members from an array, too.
fn read_object<'a, T: Deserialize<'a>>(json: &'a RawValue) -> Option<T> {
    if !json.get().starts_with('{') {
        return None;
    }
    serde_json::from_str(json.get()).ok()
}

/// The beginning of an event's array. The other arguments are read over.
struct EventFront<'a> {
    name: String,
    data: Option<&'a RawValue>,
}

impl<'de: 'a, 'a> Deserialize<'de> for EventFront<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Front;

        impl<'de> Visitor<'de> for Front {
            type Value = EventFront<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an array that begins with the name of an event")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut args: A) -> Result<Self::Value, A::Error> {
                let name = args.next_element()?;
                let name = name.ok_or_else(|| A::Error::custom("the event has no name"))?;
                let data = args.next_element()?;
                while args.next_element::<IgnoredAny>()?.is_some() {}
                Ok(EventFront { name, data })
            }
        }

        deserializer.deserialize_seq(Front)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::client::packet::SocketPacket;

    fn event(name: &str, id: Option<&str>, at: Option<&str>) -> SkimmedBody {
        SkimmedBody::Event(SkimmedEvent {
            name: name.to_owned(),
            id: id.map(str::to_owned),
            at: at.map(str::to_owned),
        })
    }

    #[track_caller]
    fn check(text: &str, namespace: &str, attachments: usize, body: SkimmedBody) {
        let expected = SkimmedPacket {
            namespace: namespace.to_owned(),
            attachments,
            body,
        };
        assert_eq!(SkimmedPacket::read(text).unwrap(), expected, "{text}");
    }

    #[test]
    fn an_event_shows_its_name_and_its_position() {
        let stamped = r#"2["tick",{"a":[{"_rt":1}],"_rt":{"id":"e1","at":"p.1","ts":7}}]"#;
        check(stamped, "/", 0, event("tick", Some("e1"), Some("p.1")));
        let with_ack = r#"27["a",{"_rt":{"at":"p.2"}},[1],2]"#;
        check(with_ack, "/", 0, event("a", None, Some("p.2")));
        let binary = r#"52-["a",{"_rt":{"at":"p.3"}}]"#;
        check(binary, "/", 2, event("a", None, Some("p.3")));
    }

    #[test]
    fn an_event_of_another_server_has_no_position() {
        for data in [
            "",
            ",1",
            ",null",
            r#","x""#,
            ",[{}]",
            r#",{"a":1}"#,
            r#",{"_rt":null}"#,
            r#",{"_rt":{"at":7}}"#,
            r#",[["e1","p.1"]]"#,
            r#",{"_rt":["e1","p.1"]}"#,
        ] {
            check(&format!(r#"2["a"{data}]"#), "/", 0, event("a", None, None));
        }
        check(r#"2/admin,["a"]"#, "/admin", 0, event("a", None, None));
    }

    #[test]
    fn an_acknowledgement_shows_its_id() {
        check("312[{\"large\":1}]", "/", 0, SkimmedBody::Ack(12));
        check("61-7[]", "/", 1, SkimmedBody::Ack(7));
        check("0{}", "/", 0, SkimmedBody::Other);
    }

    #[test]
    fn text_that_is_not_a_packet_is_refused() {
        for text in ["", "2", "2{}", "2[]", "2[1]", "2[\"a\"", "3[]", "5[\"a\"]"] {
            assert!(SkimmedPacket::read(text).is_err(), "{text:?} was accepted");
        }
    }

    proptest! {
        #[test]
        fn nothing_that_looks_like_a_packet_panics(
            text in r#"[0-6][0-9]{0,3}-?(/[a-z,]{0,4})?[0-9]{0,24}[\[\]{}",a0-9é]{0,12}"#,
        ) {
            let skimmed = SkimmedPacket::read(&text);
            prop_assert!(skimmed.is_ok() || SocketPacket::decode(&text).is_err());
        }
    }
}

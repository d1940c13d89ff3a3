//! The name and the arguments of an inbound event. A pure kernel.
//!
//! The transport passes an event whose name JSON must escape, a number as a name, and binary under
//! the empty name, with an argument that says what came
//! (`transport/socketio/inbound_packet/`). None of them has a handler.

use std::borrow::Cow;

use serde_json::{Number, value::RawValue};

/// An inbound event.
#[derive(Debug)]
pub(super) enum ParsedEvent<'a> {
    Plain {
        name: &'a str,
        arguments: Vec<&'a RawValue>,
    },
    /// An event whose name no handler can have.
    Nameless {
        label: String,
    },
    /// A binary event.
    Binary {
        name: String,
    },
    Malformed,
}

impl<'a> ParsedEvent<'a> {
    /// Reads `["name", argument…]`.
    pub(super) fn read(json: &'a str) -> Self {
        Self::read_array(json).unwrap_or(Self::Malformed)
    }

    fn read_array(json: &'a str) -> Option<Self> {
        let mut parts: Vec<&RawValue> = serde_json::from_str(json).ok()?;
        let name: &str = serde_json::from_str(parts.first()?.get()).ok()?;
        if !name.is_empty() {
            parts.remove(0);
            return Some(Self::Plain {
                name,
                arguments: parts,
            });
        }
        let argument = parts.get(1)?.get();
        if let Ok([name]) = serde_json::from_str::<[EventLabel; 1]>(argument) {
            return Some(Self::Binary { name: name.into() });
        }
        let label: EventLabel = serde_json::from_str(argument).ok()?;
        Some(Self::Nameless {
            label: label.into(),
        })
    }

    /// Returns the name by which a refusal calls the event.
    pub(super) fn label(&self) -> Cow<'a, str> {
        match self {
            Self::Plain { name, .. } => Cow::Borrowed(name),
            Self::Nameless { label: name } | Self::Binary { name } => Cow::Owned(name.clone()),
            Self::Malformed => Cow::Borrowed(""),
        }
    }
}

/// The name of an event as Socket.IO allows it.
#[derive(Debug, serde::Deserialize)]
#[serde(untagged)]
pub(crate) enum EventLabel {
    Text(String),
    Number(Number),
}

impl From<EventLabel> for String {
    fn from(label: EventLabel) -> Self {
        match label {
            EventLabel::Text(text) => text,
            EventLabel::Number(number) => number.to_string(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plain_event_has_a_name_and_arguments() {
        let json = r#"["note", {"a": 1}, 2]"#;
        let ParsedEvent::Plain { name, arguments } = ParsedEvent::read(json) else {
            panic!("{json}");
        };
        let arguments: Vec<_> = arguments.iter().map(|argument| argument.get()).collect();
        assert_eq!((name, arguments), ("note", vec![r#"{"a": 1}"#, "2"]));
    }

    #[test]
    fn what_no_handler_can_take_has_a_label_all_the_same() {
        for (json, expected) in [
            (r#"["","a\"b"]"#, "a\"b"),
            (r#"["",7]"#, "7"),
            (r#"["",""]"#, ""),
            (r#"["",["upload"]]"#, "upload"),
            (r#"["",[7]]"#, "7"),
        ] {
            let event = ParsedEvent::read(json);
            let is_binary = json.contains(",[");
            assert_eq!(
                matches!(event, ParsedEvent::Binary { .. }),
                is_binary,
                "{json}"
            );
            assert_eq!(event.label(), expected, "{json}");
        }
    }

    #[test]
    fn anything_else_is_malformed() {
        for json in [
            "",
            "[]",
            "{}",
            r#"["",null]"#,
            r#"[""]"#,
            r#"[7]"#,
            r#"["x""#,
        ] {
            let event = ParsedEvent::read(json);
            assert!(matches!(event, ParsedEvent::Malformed), "{json}");
            assert_eq!(event.label(), "");
        }
    }
}

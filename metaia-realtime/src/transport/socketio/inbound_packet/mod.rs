//! Packets of clients, rewritten before the engine reads them. A pure kernel.
//!
//! The engine ends a connection that sends an event whose name JSON must escape, a number as a
//! name, binary, or a payload that is no event. Such a packet is rewritten to an event that the
//! engine takes, with a name that no client's event keeps: the empty one. Its argument says what
//! came, and [`Inbound`](crate::session::Inbound) reads it:
//!
//! - `["","na\"me"]` or `["",7]`: an event whose name no handler can have.
//! - `["",["name"]]`: a binary event. Its attachments are dropped.
//! - `["",null]`: not an event.
//!
//! A rewritten packet is never much longer than it was: it has at most 1 KiB, or is shorter.

use std::borrow::Cow;

use serde_json::value::RawValue;

use crate::session::EventLabel;

/// The most characters of an event's name that are kept when the event is rewritten. It is only
/// repeated to the client.
const MAX_NAME_CHARS: usize = 128;

/// The effect of a packet on the client's place in the namespace `/`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum PacketKind {
    /// CONNECT to the namespace.
    Connect,
    /// CONNECT to another namespace. There is none.
    ConnectElsewhere,
    /// DISCONNECT from the namespace.
    Leave,
    /// An event, for a client in the namespace.
    Event,
    /// A pong of Engine.IO.
    Pong,
    /// Anything else.
    Other,
}

/// A packet as the engine is to read it.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct InboundPacket<'a> {
    pub(super) kind: PacketKind,
    pub(super) text: Cow<'a, str>,
}

impl<'a> InboundPacket<'a> {
    /// Reads an Engine.IO packet. Returns `None` for one that is dropped: a binary attachment, or
    /// an ack, of which the server asks none.
    pub(super) fn read(packet: &'a str) -> Option<Self> {
        let unchanged = |kind| {
            let text = Cow::Borrowed(packet);
            Some(Self { kind, text })
        };
        match packet.as_bytes() {
            [b'b', ..] | [b'4', b'3' | b'6', ..] => None,
            b"3probe" => unchanged(PacketKind::Other),
            [b'3', ..] => unchanged(PacketKind::Pong),
            [b'4', b'0', ..] if is_of_root(&packet[2..]) => unchanged(PacketKind::Connect),
            [b'4', b'0', ..] => unchanged(PacketKind::ConnectElsewhere),
            [b'4', b'1', ..] if is_of_root(&packet[2..]) => unchanged(PacketKind::Leave),
            [b'4', b'2', ..] if is_of_root(&packet[2..]) => Some(Self::event(packet)),
            [b'4', b'5', ..] => Self::binary_event(&packet[2..]),
            _ => unchanged(PacketKind::Other),
        }
    }

    /// Reads an EVENT of the namespace `/`.
    fn event(packet: &'a str) -> Self {
        let (ack, payload) = split_ack(without_root(&packet[2..]));
        let text = match rewrite_payload(payload) {
            // The engine takes an id only right before the payload.
            None if packet.ends_with(&format!("{ack}{payload}")) => Cow::Borrowed(packet),
            None => Cow::Owned(format!("42{ack}{payload}")),
            Some(payload) => Cow::Owned(format!("42{ack}{payload}")),
        };
        let kind = PacketKind::Event;
        Self { kind, text }
    }

    /// Reads a BINARY_EVENT after its type: the number of attachments, `-`, and then as an EVENT.
    fn binary_event(rest: &str) -> Option<Self> {
        let (_, rest) = split_digits(rest);
        let rest = rest.strip_prefix('-').unwrap_or(rest);
        if !is_of_root(rest) {
            return None;
        }
        let (ack, payload) = split_ack(without_root(rest));
        let argument = match event_name(payload) {
            Some(name) => format!("[{}]", label_to_json(&name)),
            None => "null".to_owned(),
        };
        Some(Self {
            kind: PacketKind::Event,
            text: Cow::Owned(format!("42{ack}[\"\",{argument}]")),
        })
    }
}

/// Returns whether a packet belongs to the namespace `/`, by what follows its type.
fn is_of_root(rest: &str) -> bool {
    !rest.starts_with('/') || rest == "/" || rest.starts_with("/,")
}

/// Returns what follows the name of the namespace `/`, which may be written.
fn without_root(rest: &str) -> &str {
    rest.strip_prefix("/,").unwrap_or(rest)
}

fn split_digits(text: &str) -> (&str, &str) {
    let end = text
        .find(|character: char| !character.is_ascii_digit())
        .unwrap_or(text.len());
    text.split_at(end)
}

/// Splits the id for an ack from the payload. An id that is no number of 64 bits counts as absent.
fn split_ack(text: &str) -> (&str, &str) {
    let (digits, payload) = split_digits(text);
    let payload = payload.trim_start();
    if digits.parse::<i64>().is_ok() {
        (digits, payload)
    } else {
        ("", payload)
    }
}

/// Returns the payload that the engine is to read instead, or `None` if it can read this one.
fn rewrite_payload(payload: &str) -> Option<String> {
    let Ok(parts) = serde_json::from_str::<Vec<&RawValue>>(payload) else {
        return Some(r#"["",null]"#.to_owned());
    };
    let name = parts.first().and_then(|first| read_label(first));
    let Some(name) = name else {
        return Some(r#"["",null]"#.to_owned());
    };
    let EventLabel::Text(text) = &name else {
        return Some(format!("[\"\",{}]", label_to_json(&name)));
    };
    let json = serde_json::Value::from(text.as_str()).to_string();
    if text.is_empty() || json.len() != text.len() + 2 {
        return Some(format!("[\"\",{}]", label_to_json(&name)));
    }
    if parts.first().is_some_and(|first| first.get() == json) {
        return None;
    }
    // The name was written with escapes that it does not need.
    let arguments: String = parts[1..].iter().map(|part| format!(",{part}")).collect();
    Some(format!("[{json}{arguments}]"))
}

/// Returns the name of an event, by its payload.
fn event_name(payload: &str) -> Option<EventLabel> {
    let parts: Vec<&RawValue> = serde_json::from_str(payload).ok()?;
    read_label(parts.first()?)
}

/// Reads a name, which Socket.IO allows to be a string or a number.
fn read_label(json: &RawValue) -> Option<EventLabel> {
    serde_json::from_str(json.get()).ok()
}

/// Returns a name as JSON, shortened if it is long.
fn label_to_json(label: &EventLabel) -> String {
    match label {
        EventLabel::Text(text) => {
            let text: String = text.chars().take(MAX_NAME_CHARS).collect();
            serde_json::Value::from(text).to_string()
        }
        EventLabel::Number(number) => number.to_string(),
    }
}

#[cfg(test)]
mod tests;

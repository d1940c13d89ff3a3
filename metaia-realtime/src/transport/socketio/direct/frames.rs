//! The WebSocket frames of what a server sends.

use bytes::Bytes;
use serde_json::value::RawValue;
use tokio_tungstenite::tungstenite::protocol::frame::coding::Control;

use crate::{
    session::{END, Outgoing},
    transport::socketio::websocket::{server_control, server_text},
};

/// Returns the frames of a packet. Entries and volatile events share theirs with every session that
/// receives them.
pub(super) fn packet_frame(packet: &Outgoing) -> Bytes {
    match packet {
        Outgoing::Entry(entry, _) => {
            let name = entry.content().name();
            entry.frame(|| written_event_frame(name, |text| entry.write_stamped(text)))
        }
        Outgoing::Volatile(event) => {
            let encode = || event_frame(event.name.as_str(), &event.payload);
            event.frame(encode)
        }
        Outgoing::Control { name, payload, .. } => event_frame(name, payload),
        Outgoing::Ack { id, answer } => text_frame(&format!("43{id}[{answer}]")),
        Outgoing::End {
            payload,
            stays_away,
        } => end_frames(payload, *stays_away),
    }
}

fn event_frame(name: &str, payload: &RawValue) -> Bytes {
    written_event_frame(name, |text| text.push_str(payload.get()))
}

/// Returns the frame of an event whose payload `write` appends to a text. The name needs no
/// escapes: see [`EventName`].
fn written_event_frame(name: &str, write: impl FnOnce(&mut String)) -> Bytes {
    let mut text = format!("42[\"{name}\",");
    write(&mut text);
    text.push(']');
    text_frame(&text)
}

fn end_frames(payload: &RawValue, stays_away: bool) -> Bytes {
    let mut frames = event_frame(END, payload).to_vec();
    if stays_away {
        frames.extend(server_text("41"));
    }
    frames.into()
}

/// Returns a control frame of WebSocket.
pub(super) fn control_frame(control: Control, payload: &[u8]) -> Bytes {
    server_control(control, payload).into()
}

/// Returns a text frame.
pub(super) fn text_frame(text: &str) -> Bytes {
    server_text(text).into()
}

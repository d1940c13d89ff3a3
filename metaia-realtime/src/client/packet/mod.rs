//! The wire formats: Engine.IO v4 packets and payloads, Socket.IO v5 packets.
//!
//! A pure kernel: it converts text to values and back. Nothing here panics on any input. Text that
//! does not parse is a [`DecodeError`], and the transport that carried it is closed.

mod collector;
mod engine;
mod payload_reader;
mod reducer;
mod skim;
mod socket;

pub(crate) use collector::{CollectedPacket, PacketCollector};
pub(crate) use engine::{EnginePacket, Handshake, decode_payload, encode_payload};
pub(crate) use payload_reader::PayloadReader;
pub(crate) use skim::{SkimmedBody, SkimmedEvent, SkimmedPacket};
pub(crate) use socket::{Body, SocketPacket};

/// The reason why a packet could not be read.
#[derive(Debug, thiserror::Error)]
pub(crate) enum DecodeError {
    #[error("the packet is empty")]
    Empty,
    #[error("packet type {0:?} is unknown")]
    UnknownType(char),
    #[error("the number of attachments is missing or too large")]
    Attachments,
    #[error("the acknowledgement id is missing or too large")]
    AckId,
    #[error("the packet is not an array, or an event without a name")]
    Shape,
    #[error("the JSON in the packet cannot be read")]
    Json(#[source] serde_json::Error),
    #[error("a packet has more than {0} bytes")]
    TooLong(usize),
    #[error("the base64 of a binary packet cannot be read")]
    Base64(#[source] base64::DecodeError),
}

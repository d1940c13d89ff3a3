//! The packets that a session hands to its transport. They wait in the [`outbox`](super::outbox).

use std::sync::{Arc, OnceLock};

use bytes::Bytes;
use serde_json::value::RawValue;

use super::wire::{self, ERROR};
use crate::{
    Position, Room,
    event::{EventName, VolatileKey},
    log::Entry,
    values::Moment,
};

/// The approximate size of a packet on the wire without its name and payload, in bytes.
const FRAME_OVERHEAD: usize = 16;

/// The size of the packet of a volatile event without its name and payload: `42["",]`.
const VOLATILE_FRAME: usize = 7;

/// One packet to write.
#[derive(Debug)]
pub(crate) enum Outgoing {
    /// An entry of the log: name and stamped payload, shared by all sessions that receive it. With
    /// it the moment of its commit if it is delivered live, and so is to be timed.
    Entry(Arc<Entry>, Option<Moment>),
    /// A volatile event, which is not in the log.
    Volatile(Arc<Volatile>),
    /// An `rt:` event, for this session alone.
    Control {
        name: &'static str,
        payload: Box<RawValue>,
        /// The client's position after it has received this packet, if the packet carries one.
        at: Option<Position>,
    },
    /// The answer to an event that asked for one.
    Ack { id: i64, answer: Box<RawValue> },
    /// `rt:end`, the last packet of a session. DISCONNECT follows it if the client is to stay away.
    End {
        payload: Box<RawValue>,
        stays_away: bool,
    },
}

/// An event that may be lost. While it waits, a newer event of the same key replaces it.
#[derive(Debug)]
pub(crate) struct Volatile {
    pub(crate) name: EventName,
    pub(crate) payload: Box<RawValue>,
    /// The rooms that it was sent to.
    pub(crate) rooms: Vec<Room>,
    /// The key that its sender gave. Without one, its key is its name and the room by which a
    /// session receives it.
    pub(crate) key: Option<VolatileKey>,
    /// The bytes that a transport writes for the event, once one has made them.
    pub(crate) frame: OnceLock<Bytes>,
}

impl Volatile {
    /// Returns the bytes that a transport writes for the event. The first call makes them by
    /// `encode`; all sessions share them.
    pub(crate) fn frame(&self, encode: impl FnOnce() -> Bytes) -> Bytes {
        self.frame.get_or_init(encode).clone()
    }

    /// Returns the size of the packet, in bytes.
    pub(crate) fn size(&self) -> usize {
        VOLATILE_FRAME + self.name.as_str().len() + self.payload.get().len()
    }
}

impl Outgoing {
    /// Returns an `rt:` event.
    pub(super) fn control(name: &'static str, payload: Box<RawValue>) -> Self {
        Self::Control {
            name,
            payload,
            at: None,
        }
    }

    /// Returns an `rt:` event that carries the client's position.
    pub(super) fn control_at(name: &'static str, payload: Box<RawValue>, at: Position) -> Self {
        Self::Control {
            name,
            payload,
            at: Some(at),
        }
    }

    /// Returns the refusal of an event: the ack if the client asked for one, otherwise `rt:error`.
    pub(super) fn refusal(
        event: &str,
        code: &str,
        reference: Option<&str>,
        ack: Option<i64>,
    ) -> Self {
        match ack {
            Some(id) => Self::Ack {
                id,
                answer: wire::refused(code),
            },
            None => Self::control(ERROR, wire::error(event, code, reference)),
        }
    }

    /// Returns the client's position after it has received this packet; `None` if the packet
    /// carries none.
    pub(super) fn position(&self) -> Option<Position> {
        match self {
            Self::Entry(entry, _) => Some(entry.position()),
            Self::Control { at, .. } => *at,
            Self::Volatile(_) | Self::Ack { .. } | Self::End { .. } => None,
        }
    }

    /// Returns whether the packet is an entry of the log.
    pub(crate) const fn is_entry(&self) -> bool {
        matches!(self, Self::Entry(..))
    }

    /// Returns when the packet's entry was committed, if it is an entry that is delivered live.
    pub(crate) const fn committed(&self) -> Option<Moment> {
        match self {
            Self::Entry(_, committed) => *committed,
            _ => None,
        }
    }

    /// Returns the approximate size of the packet on the wire, in bytes.
    pub(super) fn size(&self) -> usize {
        let content = match self {
            Self::Entry(entry, _) => entry.content().size(),
            Self::Volatile(event) => return event.size(),
            Self::Control { name, payload, .. } => name.len() + payload.get().len(),
            Self::Ack { answer, .. } => answer.get().len(),
            Self::End { payload, .. } => payload.get().len(),
        };
        FRAME_OVERHEAD + content
    }
}

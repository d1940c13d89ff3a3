//! What a session hands to its transport.

use std::sync::Arc;

use serde_json::value::RawValue;

use crate::{Position, event::EventName, log::Entry};

/// One packet to write.
#[derive(Debug)]
pub(crate) enum Outgoing {
    /// An entry of the log: name and stamped payload, shared by all who get it.
    Entry(Arc<Entry>),
    /// An event beside the log.
    Volatile(Arc<Volatile>),
    /// An event of this system, for this session alone.
    Control {
        name: &'static str,
        payload: Box<RawValue>,
        /// Where the client stands with it, where it says so.
        at: Option<Position>,
    },
    /// The answer to an event that asked for one.
    Ack { id: i64, answer: Box<RawValue> },
}

/// An event that may be lost: the newest of its name wins.
#[derive(Debug)]
pub(crate) struct Volatile {
    pub(crate) name: EventName,
    pub(crate) payload: Box<RawValue>,
}

impl Outgoing {
    /// An event of this system.
    pub(crate) fn control(name: &'static str, payload: Box<RawValue>) -> Self {
        Self::Control {
            name,
            payload,
            at: None,
        }
    }

    /// An event of this system that says where the client stands.
    pub(crate) fn at(name: &'static str, payload: Box<RawValue>, at: Position) -> Self {
        Self::Control {
            name,
            payload,
            at: Some(at),
        }
    }

    /// Where the client stands when it has got it.
    pub(crate) fn position(&self) -> Option<Position> {
        match self {
            Self::Entry(entry) => Some(entry.position()),
            Self::Control { at, .. } => *at,
            Self::Volatile(_) | Self::Ack { .. } => None,
        }
    }

    /// About what it takes on the wire, in bytes.
    pub(crate) fn size(&self) -> usize {
        const FRAME: usize = 16;
        FRAME
            + match self {
                Self::Entry(entry) => entry.content().size(),
                Self::Volatile(event) => event.name.as_str().len() + event.payload.get().len(),
                Self::Control { name, payload, .. } => name.len() + payload.get().len(),
                Self::Ack { answer, .. } => answer.get().len(),
            }
    }
}

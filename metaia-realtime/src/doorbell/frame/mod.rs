//! Frames: what nodes tell each other, as bytes.
//!
//! ```text
//! "MB" version flags kind │ node 16 │ seq 8 │ ts 8 │ body │ signature 32, where flags say so
//! ```
//! Numbers are big-endian. The signature is over everything before it. A frame of another version
//! is not read: nodes of two versions find each other's events by polling, as if there were no
//! doorbell.

#[cfg(test)]
mod tests;

use serde_json::value::RawValue;

use super::key::{ClusterKey, SIGNATURE};
use crate::doorbell::log_head::LogHead;
use crate::{
    IntoEvent as _, Room,
    event::EventName,
    values::{Epoch, NodeId},
};

/// The most bytes that a frame has: a payload of 64 KiB, and what is around it.
pub const LARGEST: usize = (64 + 16) * 1024;

const MAGIC: [u8; 2] = *b"MB";
const VERSION: u8 = 1;
const SIGNED: u8 = 1;

/// What one node tells the others.
#[derive(Debug, Clone)]
pub(crate) struct Frame {
    /// Who tells it.
    pub(crate) node: NodeId,
    /// Rises with each frame of a node.
    pub(crate) seq: u64,
    /// When, in ms since the Unix epoch.
    pub(crate) ts: i64,
    pub(crate) body: Body,
}

#[derive(Debug, Clone)]
pub(crate) enum Body {
    /// The log goes at least so far.
    Notify(LogHead),
    /// I cannot read the log, and know it up to here: can you?
    Probe(LogHead, Probe),
    /// I can: since I was asked so I have read that it goes so far.
    ProbeAnswer(LogHead, Probe),
    /// A volatile event.
    VolatileFrame(VolatileFrame),
}

/// What an answer has to repeat: nobody else's, and nobody guesses it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Probe(u128);

impl Probe {
    pub(crate) fn random() -> Self {
        Self(rand::random())
    }
}

/// A volatile event on its way to other nodes.
#[derive(Debug, Clone)]
pub(crate) struct VolatileFrame {
    /// What its sender knew of the log: whoever has dispatched less must not deliver it.
    pub(crate) at: LogHead,
    pub(crate) rooms: Vec<Room>,
    pub(crate) name: EventName,
    pub(crate) payload: Box<RawValue>,
}

/// Why bytes are no frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Bad {
    /// They have another shape.
    Unreadable,
    /// They are not signed with our key.
    Unsigned,
}

impl Frame {
    /// The bytes, signed where there is a key. `None`: they would be more than [`LARGEST`].
    pub(crate) fn encode(&self, key: Option<&ClusterKey>) -> Option<Vec<u8>> {
        let mut bytes = Vec::with_capacity(128);
        bytes.extend(MAGIC);
        bytes.extend([
            VERSION,
            if key.is_some() { SIGNED } else { 0 },
            self.body.kind(),
        ]);
        bytes.extend(self.node.to_bytes());
        bytes.extend(self.seq.to_be_bytes());
        bytes.extend(self.ts.to_be_bytes());
        self.body.write(&mut bytes)?;
        if let Some(key) = key {
            let signature = key.sign(&bytes);
            bytes.extend(signature);
        }
        (bytes.len() <= LARGEST).then_some(bytes)
    }

    /// Reads bytes that may be anybody's. Where there is a key it is looked at before anything else
    /// is.
    pub(crate) fn decode(bytes: &[u8], key: Option<&ClusterKey>) -> Result<Self, Bad> {
        if bytes.len() > LARGEST {
            return Err(Bad::Unreadable);
        }
        let Some([b'M', b'B', VERSION, flags @ (0 | SIGNED), _]) = bytes.first_chunk() else {
            return Err(Bad::Unreadable);
        };
        let (text, signature) = match flags {
            &SIGNED => bytes
                .split_at_checked(bytes.len().saturating_sub(SIGNATURE))
                .unwrap_or((bytes, &[])),
            _ => (bytes, &[][..]),
        };
        if key.is_some_and(|key| !key.has_signed(text, signature)) {
            return Err(Bad::Unsigned);
        }
        Self::read(text).ok_or(Bad::Unreadable)
    }

    /// Who the bytes claim to be from, before anything is checked.
    pub(crate) fn claims(bytes: &[u8]) -> Option<NodeId> {
        bytes.get(5..21)?.try_into().ok().map(NodeId::from_bytes)
    }

    fn read(text: &[u8]) -> Option<Self> {
        let mut reader = Reader(text.get(4..)?);
        let kind = reader.byte()?;
        let node = NodeId::from_bytes(reader.array()?);
        let (seq, ts) = (reader.number()?, i64::from_be_bytes(reader.array()?));
        let body = Body::read(kind, &mut reader)?;
        reader.0.is_empty().then_some(Self {
            node,
            seq,
            ts,
            body,
        })
    }
}

impl Body {
    const fn kind(&self) -> u8 {
        match self {
            Self::Notify(_) => 0,
            Self::Probe(..) => 1,
            Self::ProbeAnswer(..) => 2,
            Self::VolatileFrame(_) => 3,
        }
    }

    fn write(&self, bytes: &mut Vec<u8>) -> Option<()> {
        let (Self::Notify(at)
        | Self::Probe(at, _)
        | Self::ProbeAnswer(at, _)
        | Self::VolatileFrame(VolatileFrame { at, .. })) = self;
        bytes.extend(at.epoch.to_bits().to_be_bytes());
        bytes.extend(at.n.to_be_bytes());
        if let Self::Probe(_, Probe(question)) | Self::ProbeAnswer(_, Probe(question)) = self {
            bytes.extend(question.to_be_bytes());
        }
        if let Self::VolatileFrame(cast) = self {
            bytes.extend(u16::try_from(cast.rooms.len()).ok()?.to_be_bytes());
            for room in &cast.rooms {
                write_short(bytes, &room.to_string())?;
            }
            write_short(bytes, cast.name.as_str())?;
            bytes.extend(cast.payload.get().as_bytes());
        }
        Some(())
    }

    fn read(kind: u8, reader: &mut Reader<'_>) -> Option<Self> {
        let at = LogHead {
            epoch: Epoch::from_bits(reader.number()?),
            n: reader.number()?,
        };
        Some(match kind {
            0 => Self::Notify(at),
            1 => Self::Probe(at, reader.question()?),
            2 => Self::ProbeAnswer(at, reader.question()?),
            3 => Self::VolatileFrame(VolatileFrame::read(at, reader)?),
            _ => return None,
        })
    }
}

impl VolatileFrame {
    fn read(at: LogHead, reader: &mut Reader<'_>) -> Option<Self> {
        let count = u16::from_be_bytes(reader.array()?);
        let rooms = (0..count)
            .map(|_| reader.short()?.parse().ok())
            .collect::<Option<Vec<Room>>>()?;
        let name = reader.short()?;
        let json = std::str::from_utf8(std::mem::take(&mut reader.0)).ok()?;
        let payload = RawValue::from_string(json.to_owned()).ok()?;
        // As where it was sent: a name that is not this system's own, a payload that clients can
        // read.
        let (name, payload) = (name, payload).into_event().ok()?;
        Some(Self {
            at,
            rooms,
            name,
            payload,
        })
    }
}

fn write_short(bytes: &mut Vec<u8>, text: &str) -> Option<()> {
    bytes.push(u8::try_from(text.len()).ok()?);
    bytes.extend(text.as_bytes());
    Some(())
}

/// What is left to read.
struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (head, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(*head)
    }

    fn byte(&mut self) -> Option<u8> {
        self.array().map(|[byte]| byte)
    }

    fn number(&mut self) -> Option<u64> {
        self.array().map(u64::from_be_bytes)
    }

    fn question(&mut self) -> Option<Probe> {
        self.array().map(|bytes| Probe(u128::from_be_bytes(bytes)))
    }

    fn short(&mut self) -> Option<&'a str> {
        let length = self.byte()?;
        let (text, rest) = self.0.split_at_checked(usize::from(length))?;
        self.0 = rest;
        std::str::from_utf8(text).ok()
    }
}

//! Frames: the messages between nodes, as bytes.
//!
//! ```text
//! "MB" version flags kind │ node 16 │ seq 8 │ ts 8 │ body │ signature 32, if flags say so
//! ```
//! Numbers are big-endian. The signature covers all bytes before it. A frame of another version is
//! dropped: nodes of two versions find each other's events by polling, as if there were no
//! doorbell.

#[cfg(test)]
mod earlier;
#[cfg(feature = "redis")]
mod subject;
#[cfg(test)]
mod tests;
mod white_space;

use serde_json::value::RawValue;
#[cfg(feature = "redis")]
pub(crate) use subject::VolatileSubject;

use super::{
    key::{ClusterKey, SIGNATURE_BYTES},
    log_head::LogHead,
};
use crate::{
    IntoEvent as _, Room,
    event::{EventName, VolatileKey},
    values::{Epoch, NodeId},
};

/// Size of the largest frame, in bytes: a payload of 64 KiB, and 16 KiB for the rest.
pub const MAX_FRAME_BYTES: usize = (64 + 16) * 1024;

const MAGIC: [u8; 2] = *b"MB";
const VERSION: u8 = 1;
/// The flag of a frame that ends with a signature.
const SIGNED: u8 = 1;

/// A message of one node to the others.
#[derive(Debug, Clone)]
pub(crate) struct Frame {
    /// The sender.
    pub(crate) node: NodeId,
    /// The frame's number, which rises with each frame of a node.
    pub(crate) seq: u64,
    /// The time of sending by the sender's clock, in ms since the Unix epoch.
    pub(crate) ts: i64,
    pub(crate) body: FrameBody,
}

/// The content of a frame.
#[derive(Debug, Clone)]
pub(crate) enum FrameBody {
    /// A notification: the log goes at least so far.
    Notify(LogHead),
    /// A probe: the sender cannot read the log, knows it up to this head, and asks whether others
    /// can.
    Probe(LogHead, Probe),
    /// The answer to a probe: since it arrived, the sender has read that the log goes so far.
    ProbeAnswer(LogHead, Probe),
    /// A volatile event.
    VolatileFrame(VolatileFrame),
}

/// The random number of a probe, which its answer repeats. It is unique and cannot be guessed.
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
    /// The head of the log that the sender knew. A node that has dispatched less must not deliver
    /// the event yet.
    pub(crate) at: LogHead,
    pub(crate) rooms: Vec<Room>,
    pub(crate) name: EventName,
    pub(crate) payload: Box<RawValue>,
    /// The key that the sender gave, if any. Nodes that know no keys read the frame without it.
    pub(crate) key: Option<VolatileKey>,
}

/// Reason why bytes are not accepted as a frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum FrameError {
    /// The bytes do not have the shape of a frame.
    Unreadable,
    /// The bytes are not signed with this node's key.
    Unsigned,
}

impl Frame {
    /// Returns the frame's bytes, signed if there is a key, or `None` if they would be more than
    /// [`MAX_FRAME_BYTES`].
    pub(crate) fn encode(&self, key: Option<&ClusterKey>) -> Option<Vec<u8>> {
        let mut bytes = Vec::with_capacity(128);
        bytes.extend(MAGIC);
        let flags = if key.is_some() { SIGNED } else { 0 };
        bytes.extend([VERSION, flags, self.body.kind()]);
        bytes.extend(self.node.to_bytes());
        bytes.extend(self.seq.to_be_bytes());
        bytes.extend(self.ts.to_be_bytes());
        self.body.write(&mut bytes)?;
        if let Some(key) = key {
            let signature = key.sign(&bytes);
            bytes.extend(signature);
        }
        if bytes.len() > MAX_FRAME_BYTES {
            return None;
        }
        Some(bytes)
    }

    /// Reads bytes that may come from any sender. With a key, the signature is checked before the
    /// body is parsed.
    pub(crate) fn decode(bytes: &[u8], key: Option<&ClusterKey>) -> Result<Self, FrameError> {
        if bytes.len() > MAX_FRAME_BYTES {
            return Err(FrameError::Unreadable);
        }
        let Some([b'M', b'B', VERSION, flags @ (0 | SIGNED), _]) = bytes.first_chunk() else {
            return Err(FrameError::Unreadable);
        };
        let (text, signature) = match flags {
            &SIGNED => bytes.split_at(bytes.len().saturating_sub(SIGNATURE_BYTES)),
            _ => bytes.split_at(bytes.len()),
        };
        if key.is_some_and(|key| !key.has_signed(text, signature)) {
            return Err(FrameError::Unsigned);
        }
        Self::read(text).ok_or(FrameError::Unreadable)
    }

    /// Returns the node that the bytes name as their sender, before anything is checked.
    pub(crate) fn claimed_sender(bytes: &[u8]) -> Option<NodeId> {
        bytes.get(5..21)?.try_into().ok().map(NodeId::from_bytes)
    }

    fn read(text: &[u8]) -> Option<Self> {
        let mut reader = Reader(text.get(4..)?);
        let kind = reader.byte()?;
        let node = NodeId::from_bytes(reader.array()?);
        let seq = reader.number()?;
        let ts = i64::from_be_bytes(reader.array()?);
        let body = FrameBody::read(kind, &mut reader)?;
        if !reader.0.is_empty() {
            return None;
        }
        Some(Self {
            node,
            seq,
            ts,
            body,
        })
    }
}

impl FrameBody {
    const fn kind(&self) -> u8 {
        match self {
            Self::Notify(_) => 0,
            Self::Probe(..) => 1,
            Self::ProbeAnswer(..) => 2,
            Self::VolatileFrame(_) => 3,
        }
    }

    /// Appends the body to the frame. Returns `None` if a room or a name is too long, or there are
    /// too many rooms.
    fn write(&self, bytes: &mut Vec<u8>) -> Option<()> {
        let (Self::Notify(at)
        | Self::Probe(at, _)
        | Self::ProbeAnswer(at, _)
        | Self::VolatileFrame(VolatileFrame { at, .. })) = self;
        bytes.extend(at.epoch.to_bits().to_be_bytes());
        bytes.extend(at.n.to_be_bytes());
        match self {
            Self::Notify(_) => {}
            Self::Probe(_, probe) | Self::ProbeAnswer(_, probe) => {
                bytes.extend(probe.0.to_be_bytes());
            }
            Self::VolatileFrame(event) => event.write(bytes)?,
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
            1 => Self::Probe(at, reader.probe()?),
            2 => Self::ProbeAnswer(at, reader.probe()?),
            3 => Self::VolatileFrame(VolatileFrame::read(at, reader)?),
            _ => return None,
        })
    }
}

impl VolatileFrame {
    /// Returns whether every session that receives `older` needs it no longer once it has this
    /// event: they have the same key, or without keys the same name, and the same rooms. The
    /// sessions of other rooms need the older event.
    pub(crate) fn supersedes(&self, older: &Self) -> bool {
        let is_same_key = match (self.key, older.key) {
            (Some(key), Some(other)) => key == other,
            (None, None) => self.name == older.name,
            _ => false,
        };
        is_same_key && self.rooms == older.rooms
    }

    fn write(&self, bytes: &mut Vec<u8>) -> Option<()> {
        bytes.extend(u16::try_from(self.rooms.len()).ok()?.to_be_bytes());
        for room in &self.rooms {
            write_short(bytes, &room.to_string())?;
        }
        write_short(bytes, self.name.as_str())?;
        bytes.extend(self.payload.get().as_bytes());
        if let Some(key) = self.key {
            bytes.extend(white_space::encode(key));
        }
        Some(())
    }

    fn read(at: LogHead, reader: &mut Reader<'_>) -> Option<Self> {
        let count = u16::from_be_bytes(reader.array()?);
        let rooms = (0..count)
            .map(|_| reader.short()?.parse().ok())
            .collect::<Option<Vec<Room>>>()?;
        let name = reader.short()?;
        let key = white_space::decode(reader.0);
        let json = std::str::from_utf8(std::mem::take(&mut reader.0)).ok()?;
        // Without the white space around the value.
        let payload = RawValue::from_string(json.to_owned()).ok()?;
        // The same check as at the sender: the name is not one of this system, and clients can read
        // the payload.
        let (name, payload) = (name, payload).into_event().ok()?;
        Some(Self {
            at,
            rooms,
            name,
            payload,
            key,
        })
    }
}

/// Appends a text of at most 255 bytes, after its length.
fn write_short(bytes: &mut Vec<u8>, text: &str) -> Option<()> {
    bytes.push(u8::try_from(text.len()).ok()?);
    bytes.extend(text.as_bytes());
    Some(())
}

/// The bytes that are left to read.
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

    fn probe(&mut self) -> Option<Probe> {
        self.array().map(|bytes| Probe(u128::from_be_bytes(bytes)))
    }

    fn short(&mut self) -> Option<&'a str> {
        let length = self.byte()?;
        let (text, rest) = self.0.split_at_checked(usize::from(length))?;
        self.0 = rest;
        std::str::from_utf8(text).ok()
    }
}

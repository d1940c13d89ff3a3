//! The subject of a volatile event, read from the bytes of its frame.

use sha2::{Digest as _, Sha256};

use super::{Reader, SIGNATURE_BYTES, SIGNED, white_space};

/// The kind of a frame that carries a volatile event.
const VOLATILE: u8 = 3;
/// The bytes between a frame's kind and the rooms of its event: node, number, time, epoch, `n`.
const BEFORE_ROOMS: usize = 16 + 8 + 8 + 8 + 8;

/// The key of a volatile event, or its name if it has no key, with its rooms, as a hash. Of two
/// events with the same subject the newer one supersedes the older, as
/// [`VolatileFrame::supersedes`](super::VolatileFrame::supersedes) says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct VolatileSubject([u8; 32]);

impl VolatileSubject {
    /// Returns the subject of the event in a frame of this node. Returns `None` for any other
    /// frame.
    pub(crate) fn of_frame(frame: &[u8]) -> Option<Self> {
        let [_, _, _, flags, VOLATILE] = frame.first_chunk::<5>()? else {
            return None;
        };
        let end = match *flags {
            SIGNED => frame.len().checked_sub(SIGNATURE_BYTES)?,
            _ => frame.len(),
        };
        let rooms = frame.get(5 + BEFORE_ROOMS..end)?;
        let mut reader = Reader(rooms);
        for _ in 0..u16::from_be_bytes(reader.array()?) {
            reader.short()?;
        }
        let rooms = &rooms[..rooms.len() - reader.0.len()];
        let name = reader.short()?;
        let key = white_space::decode(reader.0);
        let hash = Sha256::new().chain_update(rooms);
        let hash = match key {
            // No name begins with a 0: the hash of a key is never that of a name.
            Some(key) => hash
                .chain_update([0])
                .chain_update(key.to_bits().to_be_bytes()),
            None => hash.chain_update(name),
        };
        Some(Self(hash.finalize().into()))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{json, value::to_raw_value};

    use super::*;
    use crate::{
        Role, Room,
        doorbell::{
            ClusterKey,
            frame::{Frame, FrameBody, Probe, VolatileFrame},
            log_head::LogHead,
        },
        event::VolatileKey,
        values::{Epoch, NodeId},
    };

    fn head(n: u64) -> LogHead {
        let epoch = Epoch::from_bits(1);
        LogHead { epoch, n }
    }

    fn subject(seq: u64, body: FrameBody, is_signed: bool) -> Option<VolatileSubject> {
        let frame = Frame {
            node: NodeId::from_bytes([9; 16]),
            seq,
            ts: 7,
            body,
        };
        let key = ClusterKey::new([7; 16]).unwrap();
        let bytes = frame.encode(is_signed.then_some(&key)).unwrap();
        VolatileSubject::of_frame(&bytes)
    }

    /// Returns all events of a few names, keys and rooms, with two payloads.
    fn events() -> Vec<VolatileFrame> {
        let rooms = [
            vec![],
            vec![Room::Everyone],
            vec![Room::Role(Role::Admin)],
            vec![Room::Everyone, Room::Role(Role::Admin)],
        ];
        let mut events = Vec::new();
        for rooms in rooms {
            for name in ["at", "to"] {
                for key in [None, Some("at"), Some("k")] {
                    for payload in [json!(1), json!({"x": " \t"})] {
                        events.push(VolatileFrame {
                            at: head(events.len() as u64),
                            rooms: rooms.clone(),
                            name: name.parse().unwrap(),
                            payload: to_raw_value(&payload).unwrap(),
                            key: key.map(VolatileKey::new),
                        });
                    }
                }
            }
        }
        events
    }

    #[test]
    fn two_events_have_one_subject_if_one_supersedes_the_other() {
        for (seq, newer) in (0..).zip(events()) {
            let of_newer = subject(seq, FrameBody::VolatileFrame(newer.clone()), seq % 3 == 0);
            assert!(of_newer.is_some());
            for older in events() {
                let of_older = subject(0, FrameBody::VolatileFrame(older.clone()), seq % 2 == 0);
                let supersedes = newer.supersedes(&older);
                assert_eq!(of_newer == of_older, supersedes, "{newer:?} {older:?}");
            }
        }
    }

    #[test]
    fn other_frames_have_no_subject() {
        let probe = Probe::random();
        for body in [
            FrameBody::Notify(head(1)),
            FrameBody::Probe(head(1), probe),
            FrameBody::ProbeAnswer(head(1), probe),
        ] {
            assert_eq!(subject(1, body, true), None);
        }
        for bytes in [&b""[..], b"MB", b"MB\x01\x00\x03", &[3; 40], &[3; 80]] {
            assert_eq!(VolatileSubject::of_frame(bytes), None, "{bytes:?}");
        }
    }
}

//! Recognises packets in the bytes written to a WebSocket: unmasked frames, one packet each (RFC
//! 6455, 5.2).

use super::{Kind, Written};

/// Counts the packets of a WebSocket.
#[derive(Debug, Default)]
pub(in super::super) struct FrameScanner(FrameState);

#[derive(Debug)]
enum FrameState {
    /// In the header of a frame, with its bytes so far.
    Header { bytes: [u8; 10], len: u8 },
    /// In the payload of a text frame, whose first two bytes identify the packet.
    Start { left: u64, first: Option<u8> },
    /// In the rest of a payload.
    Rest { left: u64, kind: Kind },
}

impl Default for FrameState {
    fn default() -> Self {
        NEXT_FRAME
    }
}

const NEXT_FRAME: FrameState = FrameState::Header {
    bytes: [0; 10],
    len: 0,
};

impl FrameScanner {
    /// Counts the packets whose frame ends in `bytes`.
    pub(in super::super) fn scan(&mut self, mut bytes: &[u8]) -> Written {
        let mut written = Written::default();
        while let Some((&byte, rest)) = bytes.split_first() {
            if let FrameState::Rest { left, kind } = self.0 {
                let skip = usize::try_from(left).unwrap_or(usize::MAX).min(bytes.len());
                bytes = &bytes[skip..];
                self.0 = FrameState::Rest {
                    left: left - skip as u64,
                    kind,
                };
            } else {
                bytes = rest;
                self.step(byte);
            }
            if let FrameState::Rest { left: 0, kind } = self.0 {
                written.add(kind);
                self.0 = NEXT_FRAME;
            }
        }
        written
    }

    /// Advances by a byte that is not in the rest of a payload.
    fn step(&mut self, byte: u8) {
        match &mut self.0 {
            FrameState::Header { bytes, len } => {
                bytes[usize::from(*len)] = byte;
                *len += 1;
                if let Some(left) = payload_len(&bytes[..usize::from(*len)]) {
                    self.0 = payload(bytes[0], left);
                }
            }
            FrameState::Start { left, first } => {
                *left -= 1;
                let kind = match *first {
                    None if byte == b'2' => Kind::Ping,
                    None if *left == 0 => Kind::Other,
                    None => {
                        *first = Some(byte);
                        return;
                    }
                    Some(first) => Kind::from_first_two([first, byte]),
                };
                self.0 = FrameState::Rest { left: *left, kind };
            }
            FrameState::Rest { .. } => {}
        }
    }
}

/// Returns the state at the beginning of a payload of `left` bytes. `first_header_byte` contains
/// the opcode; 1 is text.
const fn payload(first_header_byte: u8, left: u64) -> FrameState {
    let is_text = first_header_byte & 0x0f == 1;
    if is_text && left > 0 {
        return FrameState::Start { left, first: None };
    }
    FrameState::Rest {
        left,
        kind: Kind::Other,
    }
}

/// Returns the length of the payload, or `None` while the header is incomplete. Ignores the mask
/// bit.
fn payload_len(header: &[u8]) -> Option<u64> {
    let (&[_, second], extended) = header.split_first_chunk()?;
    match (second & 0x7f, extended) {
        (len @ 0..=125, []) => Some(u64::from(len)),
        (126, &[a, b]) => Some(u64::from(u16::from_be_bytes([a, b]))),
        (127, &[a, b, c, d, e, f, g, h]) => Some(u64::from_be_bytes([a, b, c, d, e, f, g, h])),
        _ => None,
    }
}

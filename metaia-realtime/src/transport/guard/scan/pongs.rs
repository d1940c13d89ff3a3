//! Recognises pongs in the bytes that a WebSocket client sends: masked frames, several of which may
//! form one message.

use super::frames::payload_len;

/// Finds pongs (RFC 6455, 5.2). The engine refuses malformed frames.
#[derive(Debug)]
pub(crate) struct PongScanner {
    state: PongState,
    /// Set from the start of a text message until its first byte.
    awaits_first_byte: bool,
}

#[derive(Debug)]
enum PongState {
    /// In the header of a frame, with its bytes so far.
    Header { bytes: [u8; 14], len: u8 },
    /// In the payload. `key` is the mask of its first byte if that byte begins a text message.
    Payload { left: u64, key: Option<u8> },
}

const NEXT_FRAME: PongState = PongState::Header {
    bytes: [0; 14],
    len: 0,
};

impl Default for PongScanner {
    fn default() -> Self {
        Self {
            state: NEXT_FRAME,
            awaits_first_byte: false,
        }
    }
}

impl PongScanner {
    /// Returns whether a pong begins in `bytes`.
    pub(crate) fn scan(&mut self, mut bytes: &[u8]) -> bool {
        let mut found = false;
        while let Some((&byte, rest)) = bytes.split_first() {
            if let PongState::Payload { left, key: None } = &mut self.state {
                let skip = usize::try_from(*left)
                    .unwrap_or(usize::MAX)
                    .min(bytes.len());
                bytes = &bytes[skip..];
                *left -= skip as u64;
            } else {
                bytes = rest;
                found |= self.step(byte);
            }
            if matches!(self.state, PongState::Payload { left: 0, .. }) {
                self.state = NEXT_FRAME;
            }
        }
        found
    }

    fn step(&mut self, byte: u8) -> bool {
        match &mut self.state {
            PongState::Header { bytes, len } => {
                bytes[usize::from(*len)] = byte;
                *len += 1;
                if let Some((opcode, left, key)) = header(&bytes[..usize::from(*len)]) {
                    // 1 begins a text message, 2 a binary one. 0 continues either.
                    self.awaits_first_byte = match opcode {
                        1 => true,
                        2 => false,
                        _ => self.awaits_first_byte,
                    };
                    // Opcodes from 8 on are control frames, which may stand between the frames of a
                    // message.
                    let is_data = opcode < 8;
                    let has_first_byte = is_data && self.awaits_first_byte && left > 0;
                    let key = if has_first_byte { Some(key) } else { None };
                    self.state = PongState::Payload { left, key };
                }
                false
            }
            PongState::Payload { left, key } => {
                *left -= 1;
                self.awaits_first_byte = false;
                key.take().is_some_and(|key| byte ^ key == b'3')
            }
        }
    }
}

/// Returns the opcode, the length of the payload, and the mask of its first byte, or `None` while
/// the header is incomplete.
fn header(bytes: &[u8]) -> Option<(u8, u64, u8)> {
    let first = *bytes.first()?;
    let second = *bytes.get(1)?;
    let extended = match second & 0x7f {
        126 => 2,
        127 => 8,
        _ => 0,
    };
    let (plain, key) = bytes.split_at_checked(2 + extended)?;
    let key = match (second & 0x80, key) {
        (0, _) => 0,
        (_, &[key, _, _, _]) => key,
        _ => return None,
    };
    Some((first & 0x0f, payload_len(plain)?, key))
}

//! Pongs in what a WebSocket's client sends: masked frames, of which several may make one message.

use super::frames::payload_len;

/// Finds pongs (RFC 6455, 5.2). Frames that cannot be are the engine's to refuse.
#[derive(Debug)]
pub(crate) struct PongScanner {
    state: State,
    /// A text message has begun, and its first byte is still to come.
    opening: bool,
}

#[derive(Debug)]
enum State {
    /// In the header of a frame: its bytes so far.
    Header { bytes: [u8; 14], len: u8 },
    /// In the payload. `key`: of its first byte, where that begins a text message.
    Payload { left: u64, key: Option<u8> },
}

const FRAME: State = State::Header {
    bytes: [0; 14],
    len: 0,
};

impl Default for PongScanner {
    fn default() -> Self {
        Self {
            state: FRAME,
            opening: false,
        }
    }
}

impl PongScanner {
    /// Whether a pong begins in `bytes`.
    pub(crate) fn scan(&mut self, mut bytes: &[u8]) -> bool {
        let mut found = false;
        while let Some((&byte, rest)) = bytes.split_first() {
            if let State::Payload { left, key: None } = &mut self.state {
                let skip = usize::try_from(*left)
                    .unwrap_or(usize::MAX)
                    .min(bytes.len());
                bytes = &bytes[skip..];
                *left -= skip as u64;
            } else {
                bytes = rest;
                found |= self.step(byte);
            }
            if matches!(self.state, State::Payload { left: 0, .. }) {
                self.state = FRAME;
            }
        }
        found
    }

    fn step(&mut self, byte: u8) -> bool {
        match &mut self.state {
            State::Header { bytes, len } => {
                bytes[usize::from(*len)] = byte;
                *len += 1;
                if let Some((opcode, left, key)) = header(&bytes[..usize::from(*len)]) {
                    self.opening = match opcode {
                        1 => true,
                        2 => false,
                        _ => self.opening,
                    };
                    let is_data = opcode < 8;
                    let key = Some(key).filter(|_| is_data && self.opening && left > 0);
                    self.state = State::Payload { left, key };
                }
                false
            }
            State::Payload { left, key } => {
                *left -= 1;
                self.opening = false;
                key.take().is_some_and(|key| byte ^ key == b'3')
            }
        }
    }
}

/// The opcode, the length of the payload, and what its first byte is masked with, once the header
/// is whole.
fn header(bytes: &[u8]) -> Option<(u8, u64, u8)> {
    let (&first, &second) = (bytes.first()?, bytes.get(1)?);
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

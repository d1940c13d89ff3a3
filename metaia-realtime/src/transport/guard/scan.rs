//! Counting packets in what is written: pure kernels.
//!
//! Counted are Socket.IO DISCONNECT, EVENT and ACK packets (`41`, `42`, `43`), which the session hands over; not pings
//! or the CONNECT answer, which the transport adds.

fn is_counted(first_two: [u8; 2]) -> bool {
    matches!(first_two, [b'4', b'1'..=b'3'])
}

/// Counts in the bodies of polling answers: packets separated by `0x1e`.
#[derive(Debug, Default)]
pub(crate) struct PacketCounter {
    /// How many bytes of the current packet have passed, up to 2, and the first of them.
    seen: u8,
    first: u8,
}

impl PacketCounter {
    const SEPARATOR: u8 = 0x1e;

    /// The counted packets whose second byte stands in `bytes`.
    pub(crate) fn scan(&mut self, bytes: &[u8]) -> u64 {
        let mut count = 0;
        for &byte in bytes {
            match self.seen {
                _ if byte == Self::SEPARATOR => self.seen = 0,
                0 => (self.seen, self.first) = (1, byte),
                1 => {
                    self.seen = 2;
                    count += u64::from(is_counted([self.first, byte]));
                }
                _ => {}
            }
        }
        count
    }
}

/// Counts in an upgraded connection: skips the head of the `101`, then follows unmasked frames (RFC 6455, 5.2).
#[derive(Debug, Default)]
pub(crate) struct FrameScanner(State);

#[derive(Debug)]
enum State {
    /// In the head of the answer; so many bytes of `\r\n\r\n` have just passed.
    Head(u8),
    /// In the header of a frame: its bytes so far.
    Header { bytes: [u8; 10], len: u8 },
    /// In the payload of a text frame whose first two bytes are still to come.
    Start { left: u64, first: Option<u8> },
    /// In the rest of a payload, which ends a counted packet or none.
    Rest { left: u64, counts: bool },
}

impl Default for State {
    fn default() -> Self {
        Self::Head(0)
    }
}

const FRAME: State = State::Header { bytes: [0; 10], len: 0 };

impl FrameScanner {
    /// The counted packets whose frame ends in `bytes`.
    pub(crate) fn scan(&mut self, mut bytes: &[u8]) -> u64 {
        let mut count = 0;
        while let Some((&byte, rest)) = bytes.split_first() {
            if let State::Rest { left, counts } = self.0 {
                let skip = usize::try_from(left).unwrap_or(usize::MAX).min(bytes.len());
                bytes = &bytes[skip..];
                self.0 = State::Rest { left: left - skip as u64, counts };
            } else {
                bytes = rest;
                self.step(byte);
            }
            if let State::Rest { left: 0, counts } = self.0 {
                count += u64::from(counts);
                self.0 = FRAME;
            }
        }
        count
    }

    fn step(&mut self, byte: u8) {
        match &mut self.0 {
            State::Head(matched) => {
                *matched = match (*matched, byte) {
                    (0 | 2, b'\r') | (1 | 3, b'\n') => *matched + 1,
                    (_, b'\r') => 1,
                    _ => 0,
                };
                if *matched == 4 {
                    self.0 = FRAME;
                }
            }
            State::Header { bytes, len } => {
                bytes[usize::from(*len)] = byte;
                *len += 1;
                if let Some(left) = payload_len(&bytes[..usize::from(*len)]) {
                    let is_text = bytes[0] & 0x0f == 1;
                    self.0 = if is_text && left >= 2 {
                        State::Start { left, first: None }
                    } else {
                        State::Rest { left, counts: false }
                    };
                }
            }
            State::Start { left, first } => {
                *left -= 1;
                match *first {
                    None => *first = Some(byte),
                    Some(first) => self.0 = State::Rest { left: *left, counts: is_counted([first, byte]) },
                }
            }
            State::Rest { .. } => {}
        }
    }
}

/// The length of the payload, once the header says it. The mask bit, which a server never sets, is passed over.
fn payload_len(header: &[u8]) -> Option<u64> {
    let (&[_, second], extended) = header.split_first_chunk()?;
    match (second & 0x7f, extended) {
        (len @ 0..=125, []) => Some(u64::from(len)),
        (126, &[a, b]) => Some(u64::from(u16::from_be_bytes([a, b]))),
        (127, &[a, b, c, d, e, f, g, h]) => Some(u64::from_be_bytes([a, b, c, d, e, f, g, h])),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn packet() -> impl Strategy<Value = String> {
        prop_oneof![
            Just("2".to_owned()),
            Just("3".to_owned()),
            "4[0-4]\\[\"[a-z]{0,300}\"\\]",
            ("42[a-z]", 65_530usize..65_600).prop_map(|(head, len)| format!("{head}{}", "x".repeat(len))),
        ]
    }

    fn counted(packets: &[String]) -> u64 {
        packets.iter().filter(|p| p.len() >= 2 && matches!(&p.as_bytes()[..2], b"41" | b"42" | b"43")).count()
            as u64
    }

    fn frame(payload: &str) -> Vec<u8> {
        let mut frame = vec![0x81];
        match payload.len() {
            len @ 0..=125 => frame.push(len as u8),
            len @ 126..=65_535 => {
                frame.push(126);
                frame.extend((len as u16).to_be_bytes());
            }
            len => {
                frame.push(127);
                frame.extend((len as u64).to_be_bytes());
            }
        }
        frame.extend(payload.as_bytes());
        frame
    }

    fn in_pieces(bytes: &[u8], piece: usize, mut scan: impl FnMut(&[u8]) -> u64) -> u64 {
        bytes.chunks(piece).map(&mut scan).sum()
    }

    proptest! {
        #[test]
        fn packets_are_counted_however_the_writes_are_cut(packets in proptest::collection::vec(packet(), 0..8), piece in 1usize..5_000) {
            let mut socket = b"HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\n\r\n".to_vec();
            packets.iter().for_each(|p| socket.extend(frame(p)));
            let mut frames = FrameScanner::default();
            prop_assert_eq!(in_pieces(&socket, piece, |b| frames.scan(b)), counted(&packets));
            let mut body = PacketCounter::default();
            prop_assert_eq!(in_pieces(packets.join("\u{1e}").as_bytes(), piece, |b| body.scan(b)), counted(&packets));
        }

        #[test]
        fn anything_can_be_scanned(bytes: Vec<u8>) {
            FrameScanner(FRAME).scan(&bytes);
            PacketCounter::default().scan(&bytes);
        }
    }
}

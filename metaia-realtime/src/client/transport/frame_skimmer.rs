//! Takes WebSocket frames apart, and reduces messages that are too large to what they are about. A
//! pure kernel.
//!
//! It returns frames again. Frames within the limit pass unchanged, and so do bytes that are no
//! valid frame of a server. For a message beyond the limit a frame with [`LARGE_MARK`] is
//! returned, and [`next_large`](FrameSkimmer::next_large) returns what the message is about. So the
//! memory that it takes is bounded by the limit, whatever the server sends. A message in several
//! frames is returned in one.

use std::collections::VecDeque;

use crate::client::packet::{CollectedPacket, DecodeError, EnginePacket, PacketCollector};

/// The text that stands for a large message. No packet of Engine.IO begins with it. A server that
/// sends it makes its own messages unreadable, and nothing else.
pub(super) const LARGE_MARK: &str = "~";

const FIN: u8 = 0x80;
const MASKED: u8 = 0x80;
const CONTINUATION: u8 = 0;
const TEXT: u8 = 1;
const BINARY: u8 = 2;

#[derive(Debug)]
pub(super) struct FrameSkimmer {
    max: usize,
    /// The beginning of a frame's head.
    head: Vec<u8>,
    part: FramePart,
    /// The message that is collected.
    message: Option<CollectedMessage>,
    /// The frames that are returned next.
    out: Vec<u8>,
    large: VecDeque<EnginePacket>,
}

/// The part of a frame that is read.
#[derive(Debug, Clone, Copy)]
enum FramePart {
    Head,
    /// A payload that passes, of which so many bytes are left.
    Passing(u64),
    /// A payload that is collected.
    Collecting {
        left: u64,
        is_last: bool,
    },
}

#[derive(Debug)]
struct CollectedMessage {
    opcode: u8,
    collector: PacketCollector,
}

/// The head of a frame.
#[derive(Debug, Clone, Copy)]
struct FrameHead {
    opcode: u8,
    is_last: bool,
    /// False if a server may not send it: it is masked, or has reserved bits.
    is_plain: bool,
    length: u64,
}

impl FrameSkimmer {
    /// Returns a skimmer for messages of up to `max` bytes.
    pub(super) fn new(max: usize) -> Self {
        Self {
            max,
            head: Vec::new(),
            part: FramePart::Head,
            message: None,
            out: Vec::new(),
            large: VecDeque::new(),
        }
    }

    /// Reads the next bytes of the connection.
    pub(super) fn read(&mut self, mut bytes: &[u8]) -> Result<(), DecodeError> {
        while let Some((first, rest)) = bytes.split_first() {
            bytes = match self.part {
                FramePart::Head => {
                    self.head.push(*first);
                    self.begin_frame_if_read()?;
                    rest
                }
                FramePart::Passing(left) => {
                    let (part, rest) = split(bytes, left);
                    self.out.extend_from_slice(part);
                    self.pass(left - part.len() as u64);
                    rest
                }
                FramePart::Collecting { left, is_last } => {
                    let (part, rest) = split(bytes, left);
                    if let Some(message) = &mut self.message {
                        message.collector.add(part)?;
                    }
                    self.collect(left - part.len() as u64, is_last)?;
                    rest
                }
            };
        }
        Ok(())
    }

    /// Removes the frames that were read.
    pub(super) fn take(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.out)
    }

    /// Returns what the next large message is about, of those that are not returned yet.
    pub(super) fn next_large(&mut self) -> Option<EnginePacket> {
        self.large.pop_front()
    }

    fn begin_frame_if_read(&mut self) -> Result<(), DecodeError> {
        let Some(head) = FrameHead::read(&self.head) else {
            return Ok(());
        };
        let bytes = std::mem::take(&mut self.head);
        if !self.is_collected(head) {
            self.out.extend(bytes);
            self.pass(head.length);
            return Ok(());
        }
        if head.opcode != CONTINUATION {
            // A server may not begin a message within another.
            if self.message.is_some() {
                return Err(DecodeError::Shape);
            }
            self.message = Some(CollectedMessage::new(head.opcode, self.max));
        }
        self.collect(head.length, head.is_last)
    }

    fn is_collected(&self, head: FrameHead) -> bool {
        match head.opcode {
            CONTINUATION => head.is_plain && self.message.is_some(),
            TEXT | BINARY => {
                let is_large = head.length > self.max as u64;
                head.is_plain && (is_large || !head.is_last || self.message.is_some())
            }
            _ => false,
        }
    }

    fn pass(&mut self, left: u64) {
        self.part = match left {
            0 => FramePart::Head,
            left => FramePart::Passing(left),
        };
    }

    fn collect(&mut self, left: u64, is_last: bool) -> Result<(), DecodeError> {
        if left > 0 {
            self.part = FramePart::Collecting { left, is_last };
            return Ok(());
        }
        self.part = FramePart::Head;
        if !is_last {
            return Ok(());
        }
        let Some(mut message) = self.message.take() else {
            return Ok(());
        };
        match message.collector.take()? {
            CollectedPacket::Whole(payload) => self.write(message.opcode, &payload),
            CollectedPacket::Large(packet) => {
                self.large.push_back(packet);
                self.write(TEXT, LARGE_MARK.as_bytes());
            }
        }
        Ok(())
    }

    /// Writes a message in one frame.
    fn write(&mut self, opcode: u8, payload: &[u8]) {
        self.out.push(FIN | opcode);
        match payload.len() {
            length @ 0..126 => self.out.push(length as u8),
            length @ 126..=0xffff => {
                self.out.push(126);
                self.out.extend((length as u16).to_be_bytes());
            }
            length => {
                self.out.push(127);
                self.out.extend((length as u64).to_be_bytes());
            }
        }
        self.out.extend_from_slice(payload);
    }
}

impl CollectedMessage {
    fn new(opcode: u8, max: usize) -> Self {
        let collector = match opcode {
            BINARY => PacketCollector::binary(max),
            _ => PacketCollector::text(max),
        };
        Self { opcode, collector }
    }
}

impl FrameHead {
    /// Returns the head if its bytes are complete, but for the mask, which passes with the payload.
    fn read(bytes: &[u8]) -> Option<Self> {
        let [first, second, rest @ ..] = bytes else {
            return None;
        };
        let length = match second & !MASKED {
            126 => u64::from(u16::from_be_bytes(*rest.first_chunk()?)),
            127 => u64::from_be_bytes(*rest.first_chunk()?),
            short => u64::from(short),
        };
        let is_masked = second & MASKED != 0;
        let mask = if is_masked { 4 } else { 0 };
        Some(Self {
            opcode: first & 0x0f,
            is_last: first & FIN != 0,
            is_plain: first & 0x70 == 0 && !is_masked,
            length: length.saturating_add(mask),
        })
    }
}

/// Splits bytes after the first `at`, or behind all of them.
fn split(bytes: &[u8], at: u64) -> (&[u8], &[u8]) {
    let at = usize::try_from(at).unwrap_or(usize::MAX);
    bytes.split_at(at.min(bytes.len()))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const MAX: usize = 300;

    /// Returns a frame of a server.
    fn frame(first: u8, payload: &[u8]) -> Vec<u8> {
        let mut skimmer = FrameSkimmer::new(MAX);
        skimmer.write(0, payload);
        let mut frame = skimmer.take();
        frame[0] = first;
        frame
    }

    /// Reads the bytes in pieces. Returns the frames, and what the large messages are about.
    fn skim(bytes: &[u8], piece: usize) -> (Vec<u8>, Vec<EnginePacket>) {
        let mut skimmer = FrameSkimmer::new(MAX);
        let mut frames = Vec::new();
        for piece in bytes.chunks(piece) {
            skimmer.read(piece).unwrap();
            frames.extend(skimmer.take());
        }
        (
            frames,
            std::iter::from_fn(|| skimmer.next_large()).collect(),
        )
    }

    #[track_caller]
    fn check(frames: &[Vec<u8>], expected: &[Vec<u8>], large: &[EnginePacket]) {
        for piece in [1, 2, 3, 7, 100, 4096] {
            let read = skim(&frames.concat(), piece);
            assert_eq!(read, (expected.concat(), large.to_vec()), "{piece}");
        }
    }

    fn event(at: &str) -> EnginePacket {
        EnginePacket::LargeMessage(format!(r#"2["a",{{"_rt":{{"at":"{at}"}}}}]"#))
    }

    fn large_event(at: &str) -> String {
        let x = "x".repeat(MAX);
        format!(r#"42["a",{{"x":"{x}","_rt":{{"at":"{at}"}}}}]"#)
    }

    fn mark() -> Vec<u8> {
        frame(FIN | TEXT, LARGE_MARK.as_bytes())
    }

    #[test]
    fn frames_within_the_limit_pass_unchanged() {
        let frames: Vec<_> = [0, 1, 125, 126, 299, 300]
            .into_iter()
            .flat_map(|length| {
                [1, 2, 8, 9, 10].map(|opcode| frame(FIN | opcode, &vec![b'4'; length]))
            })
            .collect();
        check(&frames, &frames, &[]);
    }

    #[test]
    fn a_large_message_is_reduced_and_its_neighbours_pass() {
        let small = frame(FIN | TEXT, b"2");
        let frames = [
            small.clone(),
            frame(FIN | TEXT, large_event("p.1").as_bytes()),
            small.clone(),
            frame(FIN | BINARY, &[b'4'; MAX + 1]),
            frame(FIN | TEXT, large_event("p.2").as_bytes()),
        ];
        let expected = [small.clone(), mark(), small, mark(), mark()];
        let large = [event("p.1"), EnginePacket::LargeBinary, event("p.2")];
        check(&frames, &expected, &large);
    }

    #[test]
    fn a_message_in_several_frames_is_one_message() {
        let ping = frame(FIN | 9, b"are you there");
        let text = large_event("p.1");
        let (first, second) = text.as_bytes().split_at(20);
        let frames = [
            frame(TEXT, b"42["),
            frame(0, b""),
            ping.clone(),
            frame(FIN, b"]"),
            frame(TEXT, first),
            ping.clone(),
            frame(0, second),
            frame(FIN, b""),
        ];
        let expected = [ping.clone(), frame(FIN | TEXT, b"42[]"), ping, mark()];
        check(&frames, &expected, &[event("p.1")]);
    }

    #[test]
    fn a_message_of_any_size_takes_little_memory() {
        let mut skimmer = FrameSkimmer::new(MAX);
        skimmer.read(&[FIN | TEXT, 127]).unwrap();
        skimmer.read(&(6u64 << 20).to_be_bytes()).unwrap();
        let begin = br#"42["a",{"x":""#;
        let end = br#"","_rt":{"at":"p.1"}}]"#;
        skimmer.read(begin).unwrap();
        let x = [b'x'; 1000];
        let mut left = (6 << 20) - begin.len() - end.len();
        while left > 0 {
            let part = left.min(x.len());
            skimmer.read(&x[..part]).unwrap();
            left -= part;
            let kept = skimmer.message.as_ref().unwrap().collector.capacity();
            assert!(kept <= MAX && skimmer.out.capacity() == 0, "{kept}");
        }
        skimmer.read(end).unwrap();
        assert_eq!(skimmer.take(), mark());
        assert_eq!(skimmer.next_large(), Some(event("p.1")));
        assert_eq!(skimmer.next_large(), None);
    }

    #[test]
    fn a_large_packet_that_is_no_message_ends_the_connection() {
        let mut skimmer = FrameSkimmer::new(MAX);
        let frame = frame(FIN | TEXT, &[b'0'; MAX + 1]);
        assert!(matches!(
            skimmer.read(&frame),
            Err(DecodeError::TooLong(MAX))
        ));
    }

    proptest! {
        #[test]
        fn no_bytes_panic(bytes in proptest::collection::vec(any::<u8>(), 0..900)) {
            let _ = FrameSkimmer::new(MAX).read(&bytes);
        }
    }
}

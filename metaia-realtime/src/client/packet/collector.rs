//! Collects the bytes of one packet while they arrive. Of a packet beyond the limit it keeps only
//! what the packet is about.

use super::{DecodeError, EnginePacket, reducer::PacketReducer};

/// The first byte of an Engine.IO message, and of a binary one in a polling answer.
const MESSAGE: u8 = b'4';
const BASE64: u8 = b'b';

#[derive(Debug)]
pub(crate) struct PacketCollector {
    /// The most bytes that are kept, decoded.
    max: usize,
    is_text: bool,
    bytes: Vec<u8>,
    large: Option<LargePacket>,
}

/// A packet beyond the limit.
#[derive(Debug)]
enum LargePacket {
    Message(Box<PacketReducer>),
    Binary,
}

/// A packet that has ended.
#[derive(Debug, PartialEq)]
pub(crate) enum CollectedPacket {
    Whole(Vec<u8>),
    /// [`EnginePacket::LargeMessage`] or [`EnginePacket::LargeBinary`].
    Large(EnginePacket),
}

impl PacketCollector {
    /// Returns a collector for an Engine.IO packet as text.
    pub(crate) fn text(max: usize) -> Self {
        Self {
            max,
            is_text: true,
            bytes: Vec::new(),
            large: None,
        }
    }

    /// Returns a collector for a binary message of a WebSocket.
    pub(crate) fn binary(max: usize) -> Self {
        Self {
            is_text: false,
            ..Self::text(max)
        }
    }

    /// Adds the next bytes of the packet.
    pub(crate) fn add(&mut self, part: &[u8]) -> Result<(), DecodeError> {
        let is_over = self.bytes.len() + part.len() > self.limit(part);
        match &mut self.large {
            Some(LargePacket::Message(reducer)) => reducer.read(part)?,
            Some(LargePacket::Binary) => {}
            None if is_over => {
                self.large = Some(self.begin_large(part)?);
            }
            None => self.keep(part),
        }
        Ok(())
    }

    /// Returns the packet, and begins the next one.
    pub(crate) fn take(&mut self) -> Result<CollectedPacket, DecodeError> {
        let bytes = std::mem::take(&mut self.bytes);
        Ok(match self.large.take() {
            Some(LargePacket::Message(reducer)) => {
                CollectedPacket::Large(EnginePacket::LargeMessage(reducer.finish()?))
            }
            Some(LargePacket::Binary) => CollectedPacket::Large(EnginePacket::LargeBinary),
            None => CollectedPacket::Whole(bytes),
        })
    }

    /// Returns the most bytes that are kept of the packet whose next part is `part`.
    fn limit(&self, part: &[u8]) -> usize {
        let first = self.bytes.first().or(part.first());
        if self.is_text && first == Some(&BASE64) {
            return (self.max / 3).saturating_add(2).saturating_mul(4);
        }
        self.max
    }

    /// Reads what was kept until now, and `part`, as the beginning of a large packet.
    fn begin_large(&mut self, part: &[u8]) -> Result<LargePacket, DecodeError> {
        let kept = std::mem::take(&mut self.bytes);
        if !self.is_text {
            return Ok(LargePacket::Binary);
        }
        match kept.first().or(part.first()) {
            Some(&BASE64) => Ok(LargePacket::Binary),
            Some(&MESSAGE) => {
                let mut reducer = PacketReducer::new(self.max);
                // The first byte is not a part of the message.
                match kept.split_first() {
                    Some((_, kept)) => {
                        reducer.read(kept)?;
                        reducer.read(part)?;
                    }
                    None => reducer.read(&part[1..])?,
                }
                Ok(LargePacket::Message(Box::new(reducer)))
            }
            _ => Err(DecodeError::TooLong(self.max)),
        }
    }

    /// Keeps bytes. The memory doubles as it is needed, and never exceeds the limit.
    fn keep(&mut self, part: &[u8]) {
        let needed = self.bytes.len() + part.len();
        if needed > self.bytes.capacity() {
            let limit = self.limit(part).max(needed);
            let wanted = (2 * self.bytes.capacity()).clamp(needed, limit);
            self.bytes.reserve_exact(wanted - self.bytes.len());
        }
        self.bytes.extend_from_slice(part);
    }

    /// Returns the memory that the packet takes.
    #[cfg(test)]
    pub(crate) fn capacity(&self) -> usize {
        self.bytes.capacity()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MAX: usize = 30;

    /// Collects a packet in pieces of every size. Checks that little memory is taken.
    #[track_caller]
    fn collect(collector: impl Fn(usize) -> PacketCollector, bytes: &[u8]) -> CollectedPacket {
        let mut results = (1..=bytes.len().max(1)).map(|size| {
            let mut collector = collector(MAX);
            for piece in bytes.chunks(size) {
                collector.add(piece).unwrap();
                assert!(collector.capacity() <= (MAX / 3 + 2) * 4);
            }
            collector.take().unwrap()
        });
        let first = results.next().unwrap();
        assert!(results.all(|other| other == first));
        first
    }

    fn whole(bytes: &[u8]) -> CollectedPacket {
        CollectedPacket::Whole(bytes.to_vec())
    }

    #[test]
    fn a_packet_up_to_the_limit_is_kept() {
        for length in 0..=MAX {
            let text = "4".repeat(length);
            let text = text.as_bytes();
            assert_eq!(collect(PacketCollector::text, text), whole(text));
            assert_eq!(collect(PacketCollector::binary, text), whole(text));
        }
        let base64 = format!("b{}", "A".repeat(40));
        let base64 = base64.as_bytes();
        assert_eq!(collect(PacketCollector::text, base64), whole(base64));
    }

    #[test]
    fn of_a_packet_beyond_the_limit_little_is_kept() {
        let x = "x".repeat(MAX);
        let text = format!(r#"42["a",{{"x":"{x}","_rt":{{"at":"p.1"}}}}]"#);
        let small = r#"2["a",{"_rt":{"at":"p.1"}}]"#.to_owned();
        let large = CollectedPacket::Large(EnginePacket::LargeMessage(small));
        assert_eq!(collect(PacketCollector::text, text.as_bytes()), large);
        let binary = CollectedPacket::Large(EnginePacket::LargeBinary);
        assert_eq!(collect(PacketCollector::binary, text.as_bytes()), binary);
        let base64 = format!("b{x}{x}");
        assert_eq!(collect(PacketCollector::text, base64.as_bytes()), binary);
    }

    #[test]
    fn a_large_packet_that_is_no_message_is_refused() {
        let mut collector = PacketCollector::text(MAX);
        let added = collector.add("0".repeat(MAX + 1).as_bytes());
        assert!(matches!(added, Err(DecodeError::TooLong(MAX))));
    }
}

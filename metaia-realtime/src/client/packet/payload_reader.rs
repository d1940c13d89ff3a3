//! Reads the packets of a polling answer while it arrives.

use super::{
    DecodeError,
    collector::{CollectedPacket, PacketCollector},
    engine::{EnginePacket, SEPARATOR},
};

/// Decodes a polling answer while it arrives. An answer may be of any length. Of a packet beyond
/// the limit little is kept.
#[derive(Debug)]
pub(crate) struct PayloadReader {
    /// The beginning of the next packet.
    begun: PacketCollector,
}

impl PayloadReader {
    pub(crate) fn new(max_packet: usize) -> Self {
        Self {
            begun: PacketCollector::text(max_packet),
        }
    }

    /// Decodes the packets that end in `chunk`, and keeps the beginning of the next one.
    pub(crate) fn read(&mut self, chunk: &[u8]) -> Result<Vec<EnginePacket>, DecodeError> {
        let mut packets = Vec::new();
        let mut parts = chunk.split(|byte| char::from(*byte) == SEPARATOR);
        self.begun.add(parts.next().unwrap_or_default())?;
        for part in parts {
            packets.push(self.take()?);
            self.begun.add(part)?;
        }
        Ok(packets)
    }

    /// Decodes the last packet, which the end of the answer ends.
    pub(crate) fn finish(mut self) -> Result<EnginePacket, DecodeError> {
        self.take()
    }

    fn take(&mut self) -> Result<EnginePacket, DecodeError> {
        match self.begun.take()? {
            CollectedPacket::Whole(bytes) => EnginePacket::decode(&String::from_utf8_lossy(&bytes)),
            CollectedPacket::Large(packet) => Ok(packet),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::client::packet::engine::{encode_payload, tests::packet};

    #[test]
    fn a_packet_of_an_answer_has_a_limit_and_the_answer_has_none() {
        let mut reader = PayloadReader::new(6);
        for _ in 0..100 {
            assert!(reader.read(b"4abc\x1e4").is_ok());
            assert!(reader.read(b"b\x1e").is_ok());
        }
        let event = EnginePacket::LargeMessage(r#"2["a"]"#.to_owned());
        assert!(reader.read(br#"42["a",""#).unwrap().is_empty());
        assert_eq!(
            reader.read(b"x\"]\x1e4b\x1e").unwrap(),
            [event, EnginePacket::Message("b".into())]
        );
        assert!(matches!(
            reader.read(b"0123456"),
            Err(DecodeError::TooLong(6))
        ));
    }

    proptest! {
        #[test]
        fn an_answer_is_read_whatever_its_chunks_are(
            packets in proptest::collection::vec(packet(), 1..8),
            chunk in 1usize..16,
        ) {
            let payload = encode_payload(&packets);
            let mut reader = PayloadReader::new(payload.len());
            let mut read = Vec::new();
            for chunk in payload.as_bytes().chunks(chunk) {
                read.extend(reader.read(chunk).unwrap());
            }
            read.push(reader.finish().unwrap());
            prop_assert_eq!(read, packets);
        }
    }
}

//! Recognises packets in the bodies of polling, where `0x1e` separates them.

use super::{Kind, Written};

const SEPARATOR: u8 = 0x1e;

/// Scans a body while it passes.
#[derive(Debug, Default)]
pub(in super::super) struct PacketScanner(PacketState);

#[derive(Debug, Default)]
enum PacketState {
    /// Before the first byte of a packet.
    #[default]
    Start,
    /// After the first byte.
    First(u8),
    /// After the second byte.
    Rest,
}

impl PacketScanner {
    /// Counts the packets in `bytes` of the answer to a poll: a ping at its first byte, a counted
    /// packet at its second.
    pub(in super::super) fn written(&mut self, bytes: &[u8]) -> Written {
        let mut written = Written::default();
        self.scan(bytes, |first_two| match first_two {
            (b'2', None) => written.add(Kind::Ping),
            (first, Some(second)) => written.add(Kind::from_first_two([first, second])),
            _ => {}
        });
        written
    }

    /// Calls `visit` twice for each packet: with its first byte, and with its first two.
    fn scan(&mut self, bytes: &[u8], mut visit: impl FnMut((u8, Option<u8>))) {
        for &byte in bytes {
            self.0 = match self.0 {
                _ if byte == SEPARATOR => PacketState::Start,
                PacketState::Start => {
                    visit((byte, None));
                    PacketState::First(byte)
                }
                PacketState::First(first) => {
                    visit((first, Some(byte)));
                    PacketState::Rest
                }
                PacketState::Rest => PacketState::Rest,
            };
        }
    }
}

//! The bodies of polling: packets separated by `0x1e`.

use super::{Kind, Written};

const SEPARATOR: u8 = 0x1e;

/// Looks through a body as it passes.
#[derive(Debug, Default)]
pub(crate) struct PacketScanner(Within);

#[derive(Debug, Default)]
enum Within {
    #[default]
    Start,
    First(u8),
    Rest,
}

impl PacketScanner {
    /// What stands in `bytes` of a poll's answer: pings by their first byte, counted packets by
    /// their second.
    pub(crate) fn written(&mut self, bytes: &[u8]) -> Written {
        let mut written = Written::default();
        self.scan(bytes, |first_two| match first_two {
            (b'2', None) => written.add(Kind::Ping),
            (first, Some(second)) => written.add(Kind::of_first_two([first, second])),
            _ => {}
        });
        written
    }

    /// Whether a pong begins in `bytes` of a POST.
    pub(crate) fn has_pong(&mut self, bytes: &[u8]) -> bool {
        let mut found = false;
        self.scan(bytes, |first_two| {
            found |= matches!(first_two, (b'3', None))
        });
        found
    }

    /// Shows each packet twice: by its first byte, and by its first two.
    fn scan(&mut self, bytes: &[u8], mut see: impl FnMut((u8, Option<u8>))) {
        for &byte in bytes {
            self.0 = match self.0 {
                _ if byte == SEPARATOR => Within::Start,
                Within::Start => {
                    see((byte, None));
                    Within::First(byte)
                }
                Within::First(first) => {
                    see((first, Some(byte)));
                    Within::Rest
                }
                Within::Rest => Within::Rest,
            };
        }
    }
}

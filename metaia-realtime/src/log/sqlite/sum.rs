//! Checksums, which tell a damaged row from a good one. They are no protection against somebody who
//! means harm.

use std::hash::Hasher as _;

use twox_hash::XxHash64;

/// A checksum in the making.
pub(super) struct Sum(XxHash64);

impl Sum {
    /// Begins. Rows of different kinds never have the same checksum by being alike.
    pub(super) fn of(kind: &str) -> Self {
        Self(XxHash64::with_seed(0)).text(kind)
    }

    /// Goes on with a field. Its length is in it, so that bytes cannot move from one field to the
    /// next unnoticed.
    pub(super) fn bytes(mut self, bytes: &[u8]) -> Self {
        self.0.write(&(bytes.len() as u64).to_le_bytes());
        self.0.write(bytes);
        self
    }

    pub(super) fn text(self, text: &str) -> Self {
        self.bytes(text.as_bytes())
    }

    pub(super) fn number(self, number: i64) -> Self {
        self.bytes(&number.to_le_bytes())
    }

    /// The checksum, as a column holds it.
    pub(super) fn end(self) -> i64 {
        self.0.finish().cast_signed()
    }
}

//! Checksums, which tell a damaged row from a good one. They do not protect against an attacker.

use std::hash::Hasher as _;

use twox_hash::XxHash64;

/// A checksum that is being computed, field by field.
pub(super) struct Checksum(XxHash64);

impl Checksum {
    /// Starts the checksum of a row. Equal fields in rows of different kinds have different
    /// checksums.
    pub(super) fn new(kind: &str) -> Self {
        Self(XxHash64::with_seed(0)).text(kind)
    }

    /// Adds a field. Its length is part of the checksum, so that bytes cannot move from one field
    /// to the next unnoticed.
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

    /// Returns the checksum as a column holds it.
    pub(super) fn finish(self) -> i64 {
        self.0.finish().cast_signed()
    }
}

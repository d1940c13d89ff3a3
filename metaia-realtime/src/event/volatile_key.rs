//! The key of a volatile event.

use std::fmt::Display;

use sha2::{Digest as _, Sha256};

/// The key of a volatile event, by which a newer event replaces an older one that waits.
///
/// It is a hash of the sender's text: it has one size, whatever the text is, and nobody can make
/// another text of the same hash.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct VolatileKey(u128);

impl VolatileKey {
    /// Returns the key of a text.
    pub(crate) fn new(text: impl Display) -> Self {
        let digest: [u8; 32] = Sha256::digest(text.to_string().as_bytes()).into();
        let first: [u8; 16] = std::array::from_fn(|i| digest[i]);
        Self(u128::from_be_bytes(first))
    }

    pub(crate) const fn to_bits(self) -> u128 {
        self.0
    }

    pub(crate) const fn from_bits(bits: u128) -> Self {
        Self(bits)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Nodes of two versions must make the same key of a text.
    #[test]
    fn the_key_of_a_text_never_changes() {
        let bits = 0x2d71_1642_b726_b044_0162_7ca9_fbac_32f5;
        assert_eq!(VolatileKey::new("x"), VolatileKey::from_bits(bits));
        assert_eq!(VolatileKey::new(7), VolatileKey::new("7"));
        assert_ne!(VolatileKey::new("7"), VolatileKey::new("7 "));
    }
}

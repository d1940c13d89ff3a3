//! What the frames of a cluster are signed with.

use std::fmt;

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

/// How long a signature is, in bytes.
pub(crate) const SIGNATURE: usize = 32;

/// The secret that the nodes of one cluster share, at least 16 bytes. `Debug` does not show it.
///
/// A node that has one takes no frame without its signature: whoever reaches the doorbell, and has
/// no key, can neither make phones show anything, nor have a node read its log in vain.
#[derive(Clone)]
pub struct ClusterKey(Hmac<Sha256>);

impl ClusterKey {
    /// The fewest bytes that a key has.
    pub const SHORTEST: usize = 16;

    /// Takes a secret.
    ///
    /// # Errors
    /// Where it is shorter than [`SHORTEST`](Self::SHORTEST).
    pub fn new(secret: impl AsRef<[u8]>) -> Result<Self, InvalidClusterKey> {
        let secret = secret.as_ref();
        if secret.len() < Self::SHORTEST {
            return Err(InvalidClusterKey);
        }
        <Hmac<Sha256> as KeyInit>::new_from_slice(secret)
            .map(Self)
            .map_err(|_| InvalidClusterKey)
    }

    pub(crate) fn sign(&self, text: &[u8]) -> [u8; SIGNATURE] {
        self.over(text).finalize().into_bytes().into()
    }

    /// In a time that does not tell how much of it was right.
    pub(crate) fn has_signed(&self, text: &[u8], signature: &[u8]) -> bool {
        self.over(text).verify_slice(signature).is_ok()
    }

    fn over(&self, text: &[u8]) -> Hmac<Sha256> {
        let mut mac = self.0.clone();
        mac.update(text);
        mac
    }
}

impl fmt::Debug for ClusterKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ClusterKey(…)")
    }
}

/// The secret is too short.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a cluster key has at least {} bytes", ClusterKey::SHORTEST)]
pub struct InvalidClusterKey;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_long_enough_and_not_shown() {
        let error = ClusterKey::new([7; 15]).unwrap_err();
        assert_eq!(error.to_string(), "a cluster key has at least 16 bytes");
        let key = ClusterKey::new([7; 16]).unwrap();
        assert_eq!(format!("{key:?}"), "ClusterKey(…)");
    }

    #[test]
    fn a_signature_is_of_one_key_and_one_text() {
        let (ours, other) = (
            ClusterKey::new([7; 16]).unwrap(),
            ClusterKey::new([8; 16]).unwrap(),
        );
        let signature = ours.sign(b"text");
        assert!(ours.has_signed(b"text", &signature));
        assert!(!ours.has_signed(b"texts", &signature) && !other.has_signed(b"text", &signature));
        assert!(!ours.has_signed(b"text", &signature[..31]) && !ours.has_signed(b"text", b""));
    }
}

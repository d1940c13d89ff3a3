//! The key that signs the frames of a cluster.

use std::fmt;

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

/// Length of a signature, in bytes.
pub(crate) const SIGNATURE_BYTES: usize = 32;

/// The secret that the nodes of one cluster share, at least 16 bytes. `Debug` does not show it.
///
/// A node with a key drops frames that are not signed with it. An attacker who reaches the doorbell
/// but has no key can neither show anything on phones nor make a node read its log in vain.
#[derive(Clone)]
pub struct ClusterKey(Hmac<Sha256>);

impl ClusterKey {
    /// Length of the shortest key, in bytes.
    pub const SHORTEST: usize = 16;

    /// Creates a key from a secret.
    ///
    /// ```
    /// use metaia_realtime::doorbell::ClusterKey;
    ///
    /// assert!(ClusterKey::new("at least 16 bytes of secret").is_ok());
    /// assert!(ClusterKey::new("short").is_err());
    /// ```
    ///
    /// # Errors
    /// Returns [`InvalidClusterKey`] if the secret is shorter than [`SHORTEST`](Self::SHORTEST).
    pub fn new(secret: impl AsRef<[u8]>) -> Result<Self, InvalidClusterKey> {
        let secret = secret.as_ref();
        if secret.len() < Self::SHORTEST {
            return Err(InvalidClusterKey);
        }
        let mac = <Hmac<Sha256> as KeyInit>::new_from_slice(secret);
        mac.map(Self).map_err(|_| InvalidClusterKey)
    }

    pub(crate) fn sign(&self, text: &[u8]) -> [u8; SIGNATURE_BYTES] {
        self.mac_of(text).finalize().into_bytes().into()
    }

    /// Verifies a signature in constant time: the time does not reveal how much of it was right.
    pub(crate) fn has_signed(&self, text: &[u8], signature: &[u8]) -> bool {
        self.mac_of(text).verify_slice(signature).is_ok()
    }

    fn mac_of(&self, text: &[u8]) -> Hmac<Sha256> {
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

/// Error for a secret that is too short.
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
    fn a_signature_belongs_to_one_key_and_one_text() {
        let ours = ClusterKey::new([7; 16]).unwrap();
        let other = ClusterKey::new([8; 16]).unwrap();
        let signature = ours.sign(b"text");
        assert!(ours.has_signed(b"text", &signature));
        assert!(!ours.has_signed(b"texts", &signature));
        assert!(!other.has_signed(b"text", &signature));
        assert!(!ours.has_signed(b"text", &signature[..31]));
        assert!(!ours.has_signed(b"text", b""));
    }
}

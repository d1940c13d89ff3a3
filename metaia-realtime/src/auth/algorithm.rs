//! The algorithms with which a token may be signed.

use super::compact::CompactToken;

/// An algorithm that this version knows (RFC 7518, section 3.1; RFC 8037, section 3.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum TokenAlgorithm {
    /// HMAC with SHA-256: the only one of a shared secret.
    Hs256,
    /// One of a public key.
    Public(PublicAlgorithm),
}

/// An algorithm of a public key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum PublicAlgorithm {
    /// RSA (PKCS #1 v1.5) with SHA-256.
    Rs256,
    /// ECDSA on P-256 with SHA-256.
    Es256,
    /// Ed25519.
    EdDsa,
}

impl TokenAlgorithm {
    /// Returns the algorithm that the header of a token names. Names are compared exactly.
    pub(super) fn of(token: &CompactToken<'_>) -> Option<Self> {
        let name = token.header.get("alg")?;
        let name: String = serde_json::from_str(name.get()).ok()?;
        Some(match &*name {
            "HS256" => Self::Hs256,
            "RS256" => Self::Public(PublicAlgorithm::Rs256),
            "ES256" => Self::Public(PublicAlgorithm::Es256),
            "EdDSA" => Self::Public(PublicAlgorithm::EdDsa),
            _ => return None,
        })
    }
}

impl PublicAlgorithm {
    /// Returns the name in headers and keys.
    #[cfg(feature = "jwks")]
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Rs256 => "RS256",
            Self::Es256 => "ES256",
            Self::EdDsa => "EdDSA",
        }
    }
}
